# coo: "make run" starts it, "make test" checks it, "make help" lists the rest.
#
# Variables for packagers: CC CFLAGS CPPFLAGS LDFLAGS PREFIX DESTDIR B (build directory) V=1 (show commands)
# WERROR=1 (warnings are errors) LIBICONV=1 (use GNU libiconv) PORTABLE_UDP=1 (no recvmmsg/sendmmsg)

.DEFAULT_GOAL := all
SHELL := /bin/bash

VERSION := $(shell sed -n 's/.*COO_VERSION "\(.*\)"/\1/p' src/base/version.h)
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
B ?= build
V ?= 0
Q := $(if $(filter 1,$V),,@)
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g

# --- what this compiler and this system have -------------------------------------------------------

cc_option = $(shell printf 'int main(void){return 0;}' | $(CC) -Werror $(1) -x c - -o /dev/null 2>/dev/null && echo $(1))

ifneq ($(filter-out clean help format format-check layers install-deps run test run-impl dist,$(or $(MAKECMDGOALS),all)),)
probed_warnings := $(call cc_option,-Wlogical-op) $(call cc_option,-Wduplicated-cond)
probed_hardening := $(call cc_option,-fstack-clash-protection) $(call cc_option,-fcf-protection)
# iconv stands in libc (glibc) or in GNU libiconv: ask the linker, unless LIBICONV=1 says so.
iconv_src := '\#include <iconv.h>\nint main(void){return iconv_open("UTF-8","GBK")==(iconv_t)-1;}'
iconv_in_libc := $(shell printf $(iconv_src) | $(CC) $(CPPFLAGS) -x c - -o /dev/null 2>/dev/null && echo yes)
endif
LIBICONV ?= $(if $(iconv_in_libc),0,1)
ICONV_PREFIX ?=

warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith \
	-Wwrite-strings -Wundef -Wvla -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough \
	-Wnull-dereference -Wdouble-promotion $(probed_warnings) $(if $(filter 1,$(WERROR)),-Werror)
ifeq ($(SANITIZE),)
hardening := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 $(probed_hardening)
else
hardening := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer -O1
sanitize_ld := -fsanitize=$(SANITIZE)
endif

packages := libuv jansson inih
pkg_cflags := $(shell $(PKG_CONFIG) --cflags $(packages) 2>/dev/null)
pkg_libs := $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs $(packages) 2>/dev/null)

all_cppflags := -I. -Isrc -Itests $(if $(filter 1,$(LIBICONV)),-DCOO_LIBICONV $(if $(ICONV_PREFIX),-I$(ICONV_PREFIX)/include)) \
	$(if $(filter 1,$(PORTABLE_UDP)),-DCOO_PORTABLE_UDP) $(CPPFLAGS)
all_cflags := -std=c11 $(warnings) $(CFLAGS) $(hardening) -fPIC
all_ldflags := $(sanitize_ld) $(if $(STATIC),-static,-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed) $(LDFLAGS)
iconv_libs := $(if $(filter 1,$(LIBICONV)),$(if $(ICONV_PREFIX),-L$(ICONV_PREFIX)/lib -Wl$(comma)-rpath$(comma)$(ICONV_PREFIX)/lib) -liconv)
comma := ,
all_libs = $(iconv_libs) $(pkg_libs) -lpthread -lm

# --- sources by layer; a new file needs no edit here -------------------------------------------------

proto_src := $(wildcard proto/*.c)
lib_src := $(proto_src) $(wildcard src/base/*.c src/engine/*.c src/feature/*.c)
cli_src := $(wildcard src/cli/*.c)
unit_src := $(wildcard tests/unit/test_*.c)
support_src := $(wildcard tests/support/*.c)

obj = $(patsubst %.c,$B/%.o,$(1))
lib_obj := $(call obj,$(lib_src))
cli_obj := $(call obj,$(cli_src))
support_obj := $(call obj,$(support_src))
unit_bin := $(patsubst tests/unit/%.c,$B/tests/unit/%,$(unit_src))
cli_lib_obj := $(filter-out $B/src/cli/main.o,$(cli_obj))

.PHONY: all
all: $B/coo $B/libcoo.a ## build coo and libcoo

# Objects depend on a file that changes only when the flags do.
flags_now := $(CC) $(all_cppflags) $(all_cflags) $(all_ldflags)
$B/flags: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(flags_now))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(flags_now))' > $@
.PHONY: FORCE
FORCE:

# proto is ISO C: no _GNU_SOURCE there.
$B/proto/%.o: proto/%.c $B/flags
	@mkdir -p $(@D)
	$(if $Q,@echo "  CC   $<")
	$Q$(CC) $(all_cppflags) $(all_cflags) -MMD -MP -c $< -o $@
$B/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(if $Q,@echo "  CC   $<")
	$Q$(CC) -D_GNU_SOURCE $(all_cppflags) $(pkg_cflags) $(all_cflags) -MMD -MP -c $< -o $@

$B/libcoo.a: $(lib_obj)
	$(if $Q,@echo "  AR   $@")
	$Qrm -f $@; $(AR) rcsD $@ $^
$B/coo: $(cli_obj) $B/libcoo.a
	$(if $Q,@echo "  LD   $@")
	$Q$(CC) $(all_cflags) $(all_ldflags) $(cli_obj) $B/libcoo.a $(all_libs) -o $@

# Unit tests may reach the command line's parts too, so all objects but main.o are linked.
$B/tests/unit/%: $B/tests/unit/%.o $(support_obj) $(cli_lib_obj) $B/libcoo.a
	$(if $Q,@echo "  LD   $@")
	$Q$(CC) $(all_cflags) $(all_ldflags) $< $(support_obj) $(cli_lib_obj) $B/libcoo.a -lcmocka $(all_libs) -o $@
.PRECIOUS: $B/%.o

.PHONY: unit
unit: $(unit_bin) ## build and run the unit tests
	$Qset -e; for t in $(unit_bin); do $$t; done

.PHONY: clean
clean: ## remove what was built
	rm -rf $B build build-*

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

-include $(shell [ -d $B ] && find $B -name '*.d')
