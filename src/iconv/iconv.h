/* SPDX-License-Identifier: MIT */
#ifndef COO_ICONV_ICONV_H
#define COO_ICONV_ICONV_H

#include <stddef.h>

/*
 * Stands in for <iconv.h> where the system's iconv cannot be used: in a static program, since that
 * of glibc loads its tables as shared libraries of exactly its own version at run time (make
 * OWN_ICONV=1, implied by make static). The tables are made by mktables.c from the iconv of the
 * machine that builds, so both know the same characters.
 *
 * One side has to be UTF-8; the other one of GBK, GB18030, CP932, CP950, CP949, EUC-KR, CP1250 to
 * 1254, CP1257, ISO-8859-1, -2, -5, -7, -9, -15, KOI8-R and KOI8-U. The functions are those of
 * POSIX, without states to shift, transliteration or suffixes such as //IGNORE.
 */
typedef struct coo_iconv *iconv_t;

#define iconv_open coo_iconv_open
#define iconv coo_iconv
#define iconv_close coo_iconv_close

iconv_t iconv_open(const char *to, const char *from);
size_t iconv(iconv_t cd, char **in, size_t *in_left, char **out, size_t *out_left);
int iconv_close(iconv_t cd);

#endif
