/* SPDX-License-Identifier: MIT */
#ifndef COO_BASE_VERSION_H
#define COO_BASE_VERSION_H

#define COO_VERSION "0.1.0"

#endif
