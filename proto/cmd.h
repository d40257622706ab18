/* SPDX-License-Identifier: MIT */
#ifndef COO_PROTO_CMD_H
#define COO_PROTO_CMD_H

#include <stddef.h>
#include <stdint.h>

/* The command is the low 8 bits of the command field, the options are the high 24
 * (PROTOCOL.md 3). */
#define COO_CMD_MASK 0xffu
#define COO_OPT_MASK 0xffffff00u

#define COO_CMD_LIST(X)                                                                            \
	X(NOOPERATION, 0x00)                                                                       \
	X(BR_ENTRY, 0x01)                                                                          \
	X(BR_EXIT, 0x02)                                                                           \
	X(ANSENTRY, 0x03)                                                                          \
	X(BR_ABSENCE, 0x04)                                                                        \
	X(FEIQ_PRESENCE, 0x09)                                                                     \
	X(BR_ISGETLIST, 0x10)                                                                      \
	X(OKGETLIST, 0x11)                                                                         \
	X(GETLIST, 0x12)                                                                           \
	X(ANSLIST, 0x13)                                                                           \
	X(ANSLIST_DICT, 0x14)                                                                      \
	X(BR_ISGETLIST2, 0x18)                                                                     \
	X(SENDMSG, 0x20)                                                                           \
	X(RECVMSG, 0x21)                                                                           \
	X(FEIQ_GROUPMSG, 0x23)                                                                     \
	X(READMSG, 0x30)                                                                           \
	X(DELMSG, 0x31)                                                                            \
	X(ANSREADMSG, 0x32)                                                                        \
	X(GETINFO, 0x40)                                                                           \
	X(SENDINFO, 0x41)                                                                          \
	X(GETABSENCEINFO, 0x50)                                                                    \
	X(SENDABSENCEINFO, 0x51)                                                                   \
	X(GETFILEDATA, 0x60)                                                                       \
	X(RELEASEFILES, 0x61)                                                                      \
	X(GETDIRFILES, 0x62)                                                                       \
	X(DIRFILES_AUTH, 0x63)                                                                     \
	X(DIRFILES_AUTHRET, 0x64)                                                                  \
	X(GETPUBKEY, 0x72)                                                                         \
	X(ANSPUBKEY, 0x73)                                                                         \
	X(NET_ENTRY_FORWARD, 0x74)                                                                 \
	X(NET_EXIT_FORWARD, 0x75)                                                                  \
	X(NET_PACKAGE_RECEIVED, 0x76)                                                              \
	X(FEIQ_CHAT_OPEN, 0x77)                                                                    \
	X(FEIQ_CHAT_ANSWER, 0x78)                                                                  \
	X(FEIQ_TYPING, 0x79)                                                                       \
	X(FEIQ_TYPING_END, 0x7a)                                                                   \
	X(FEIGE_PREGETFILE, 0x8b)                                                                  \
	X(FEIGE_CHATREADY, 0x8e)                                                                   \
	X(FEIGE_REQSHAREFILE, 0x90)                                                                \
	X(AGENT_REQ, 0xa0)                                                                         \
	X(AGENT_ANSREQ, 0xa1)                                                                      \
	X(AGENT_PACKET, 0xa2)                                                                      \
	X(AGENT_PROXYREQ, 0xa3)                                                                    \
	X(DIR_POLL, 0xb0)                                                                          \
	X(DIR_POLLAGENT, 0xb1)                                                                     \
	X(DIR_BROADCAST, 0xb2)                                                                     \
	X(DIR_ANSBROAD, 0xb3)                                                                      \
	X(DIR_PACKET, 0xb4)                                                                        \
	X(DIR_REQUEST, 0xb5)                                                                       \
	X(DIR_AGENTPACKET, 0xb6)                                                                   \
	X(DIR_EVBROAD, 0xb7)                                                                       \
	X(DIR_AGENTREJECT, 0xb8)                                                                   \
	X(FEIQ_IMAGE, 0xc0)                                                                        \
	X(FEIQ_IMAGE_ACK, 0xc1)                                                                    \
	X(FEIQ_GROUP_INFO, 0xc9)                                                                   \
	X(FEIQ_SHAKE, 0xd1)                                                                        \
	X(FEIQ_SHAKE_ACK, 0xd2)                                                                    \
	X(FEIQ_D8, 0xd8)                                                                           \
	X(FEIGE_REFUSEFILE, 0xe6)                                                                  \
	X(FEIGE_CHATCHECKMAC, 0xe7)                                                                \
	X(FEIGE_CANCELFILE, 0xe8)                                                                  \
	X(IPTUX_SENDMSG, 0xfb)                                                                     \
	X(IPTUX_SEND_SIGN, 0xfc)                                                                   \
	X(IPTUX_SENDSUBLAYER, 0xfd)                                                                \
	X(IPTUX_SENDICON, 0xfe)                                                                    \
	X(IPTUX_ASKSHARED, 0xff)

enum {
#define COO_CMD_ENUM(name, value) COO_CMD_##name = (value),
	COO_CMD_LIST(COO_CMD_ENUM)
#undef COO_CMD_ENUM
};

/*
 * The same bit means different things by class of command (PROTOCOL.md 4): options are
 * decoded only after looking at the command.
 */
enum coo_cmd_class {
	COO_CLASS_ENTRY,   /* 0x00–0x1f: presence and host list */
	COO_CLASS_MESSAGE, /* SENDMSG, its receipts and everything else on UDP */
	COO_CLASS_FILE,	   /* GETFILEDATA, GETDIRFILES */
};

/* X(class, constant, bit, name in JSON) */
#define COO_FLAG_LIST(X)                                                                           \
	X(ENTRY, COO_OPT_ABSENCE, 0x00000100u, "absence")                                          \
	X(ENTRY, COO_OPT_SERVER, 0x00000200u, "server")                                            \
	X(ENTRY, COO_OPT_ENTRY_BROADCAST, 0x00000400u, "broadcast")                                \
	X(ENTRY, COO_OPT_CAPFILEENC_OLD, 0x00001000u, "capfileenc_obslt")                          \
	X(ENTRY, COO_OPT_LIST_RETRY, 0x00004000u, "retry")                                         \
	X(ENTRY, COO_OPT_DIALUP, 0x00010000u, "dialup")                                            \
	X(ENTRY, COO_OPT_CAPFILEENC, 0x00040000u, "capfileenc")                                    \
	X(ENTRY, COO_OPT_ENTRY_FILEATTACH, 0x00200000u, "fileattach")                              \
	X(ENTRY, COO_OPT_ENTRY_ENCRYPT, 0x00400000u, "encrypt")                                    \
	X(ENTRY, COO_OPT_ENTRY_UTF8, 0x00800000u, "utf8")                                          \
	X(ENTRY, COO_OPT_ENTRY_CAPUTF8, 0x01000000u, "caputf8")                                    \
	X(ENTRY, COO_OPT_CAPIPDICT, 0x02000000u, "capipdict")                                      \
	X(ENTRY, COO_OPT_ENTRY_ENCEXTMSG, 0x04000000u, "encextmsg")                                \
	X(ENTRY, COO_OPT_ENTRY_CLIPBOARD, 0x08000000u, "clipboard")                                \
	X(ENTRY, COO_OPT_DIR_MASTER, 0x10000000u, "dir_master")                                    \
	X(MESSAGE, COO_OPT_SENDCHECK, 0x00000100u, "sendcheck")                                    \
	X(MESSAGE, COO_OPT_SECRET, 0x00000200u, "secret")                                          \
	X(MESSAGE, COO_OPT_BROADCAST, 0x00000400u, "broadcast")                                    \
	X(MESSAGE, COO_OPT_MULTICAST, 0x00000800u, "multicast")                                    \
	X(MESSAGE, COO_OPT_NOPOPUP, 0x00001000u, "nopopup")                                        \
	X(MESSAGE, COO_OPT_AUTORET, 0x00002000u, "autoret")                                        \
	X(MESSAGE, COO_OPT_RETRY, 0x00004000u, "retry")                                            \
	X(MESSAGE, COO_OPT_PASSWORD, 0x00008000u, "password")                                      \
	X(MESSAGE, COO_OPT_NOLOG, 0x00020000u, "nolog")                                            \
	X(MESSAGE, COO_OPT_NEWMULTI, 0x00040000u, "newmulti_obslt")                                \
	X(MESSAGE, COO_OPT_NOADDLIST, 0x00080000u, "noaddlist")                                    \
	X(MESSAGE, COO_OPT_READCHECK, 0x00100000u, "readcheck")                                    \
	X(MESSAGE, COO_OPT_FILEATTACH, 0x00200000u, "fileattach")                                  \
	X(MESSAGE, COO_OPT_ENCRYPT, 0x00400000u, "encrypt")                                        \
	X(MESSAGE, COO_OPT_UTF8, 0x00800000u, "utf8")                                              \
	X(MESSAGE, COO_OPT_CAPUTF8, 0x01000000u, "caputf8")                                        \
	X(MESSAGE, COO_OPT_ENCEXTMSG, 0x04000000u, "encextmsg")                                    \
	X(MESSAGE, COO_OPT_CLIPBOARD, 0x08000000u, "clipboard")                                    \
	X(FILE, COO_OPT_ENCFILE_OLD, 0x00000400u, "encfile_obslt")                                 \
	X(FILE, COO_OPT_ENCFILE, 0x00000800u, "encfile")                                           \
	X(FILE, COO_OPT_FILE_FILEATTACH, 0x00200000u, "fileattach")                                \
	X(FILE, COO_OPT_FILE_ENCRYPT, 0x00400000u, "encrypt")                                      \
	X(FILE, COO_OPT_FILE_UTF8, 0x00800000u, "utf8")

/* Bit 31 is in use nowhere that coo speaks, so every flag fits an enum constant. */
enum {
#define COO_FLAG_ENUM(cls, name, bit, text) name = (int)(bit),
	COO_FLAG_LIST(COO_FLAG_ENUM)
#undef COO_FLAG_ENUM
};

/* Name of the command ("SENDMSG"), or NULL for a number nobody uses. Static storage. */
const char *coo_cmd_name(uint32_t command);

enum coo_cmd_class coo_cmd_class(uint32_t command);

/* JSON name of one option bit of a command of that class, or NULL for a bit without a meaning. */
const char *coo_flag_name(enum coo_cmd_class cls, uint32_t bit);

#endif
