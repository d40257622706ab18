# coo: "make run" starts it, "make test" checks it, "make help" lists the rest.
#
# Variables for packagers: CC CFLAGS CPPFLAGS LDFLAGS PREFIX DESTDIR B (build directory) V=1 (show commands)
# WERROR=1 (warnings are errors) SANITIZE=address,undefined LIBICONV=1 (use GNU libiconv)
# OWN_ICONV=1 (use our own, as make static does) PORTABLE_UDP=1 (no recvmmsg/sendmmsg)

.DEFAULT_GOAL := all
SHELL := /bin/bash
comma := ,

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

# Called without -j, what a person starts still uses every processor.
submake = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN))

# --- what this compiler and this system have -------------------------------------------------------

cc_option = $(shell printf 'int main(void){return 0;}' | $(CC) -Werror $(1) -x c - -o /dev/null 2>/dev/null && echo $(1))

ifneq ($(filter-out clean help format format-check run test asan static dist uninstall,$(or $(MAKECMDGOALS),all)),)
probed_warnings := $(call cc_option,-Wlogical-op) $(call cc_option,-Wduplicated-cond)
probed_hardening := $(call cc_option,-fstack-clash-protection) $(call cc_option,-fcf-protection)
# iconv stands in libc (glibc) or in GNU libiconv: ask the linker, unless LIBICONV=1 says so.
iconv_src := '\#include <iconv.h>\nint main(void){return iconv_open("UTF-8","GBK")==(iconv_t)-1;}'
iconv_in_libc := $(shell printf $(iconv_src) | $(CC) $(CPPFLAGS) -x c - -o /dev/null 2>/dev/null && echo yes)
endif
OWN_ICONV ?= $(if $(STATIC),1,0)
LIBICONV ?= $(if $(filter 1,$(OWN_ICONV))$(iconv_in_libc),0,1)
ICONV_PREFIX ?=

warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith \
	-Wwrite-strings -Wundef -Wvla -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough \
	-Wnull-dereference -Wdouble-promotion $(probed_warnings) $(if $(filter 1,$(WERROR)),-Werror)
ifeq ($(SANITIZE),)
hardening := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 $(probed_hardening)
else
hardening := -fsanitize=$(SANITIZE)$(if $(FUZZER),$(comma)fuzzer-no-link) \
	-fno-sanitize-recover=all -fno-omit-frame-pointer -O1
sanitize_ld := -fsanitize=$(SANITIZE)
endif

packages := $(if $(STATIC),$(shell $(PKG_CONFIG) --exists libuv-static 2>/dev/null && echo libuv-static || echo libuv),libuv) jansson inih libedit
# libedit is loaded when a terminal is opened (cli/edit_lib), but not by a static program.
linked_packages := $(if $(STATIC),$(packages),$(filter-out libedit,$(packages)))
pkg_cflags := $(shell $(PKG_CONFIG) --cflags $(packages) 2>/dev/null)
pkg_libs := $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs $(linked_packages) 2>/dev/null)

all_cppflags := -I. -Isrc -Itests $(if $(filter 1,$(LIBICONV)),-DCOO_LIBICONV $(if $(ICONV_PREFIX),-I$(ICONV_PREFIX)/include)) \
	$(if $(filter 1,$(PORTABLE_UDP)),-DCOO_PORTABLE_UDP) $(if $(STATIC),-DCOO_LINK_EDIT) $(CPPFLAGS)
own_iconv := $(if $(filter 1,$(OWN_ICONV)),-Isrc/iconv)
# Nobody asks errno after sqrt(): then it is one instruction, and libm is not needed.
all_cflags := -std=c11 $(warnings) $(CFLAGS) $(hardening) -fPIC -fno-math-errno
all_ldflags := $(sanitize_ld) $(if $(STATIC),-static-pie,-pie) -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed $(LDFLAGS)
iconv_libs := $(if $(filter 1,$(LIBICONV)),$(if $(ICONV_PREFIX),-L$(ICONV_PREFIX)/lib -Wl$(comma)-rpath$(comma)$(ICONV_PREFIX)/lib) -liconv)
all_libs = $(iconv_libs) $(pkg_libs) $(if $(STATIC),,-ldl) -lpthread -lm

# --- sources by layer; a new file needs no edit here -------------------------------------------------

proto_src := $(wildcard proto/*.c)
lib_src := $(proto_src) $(wildcard src/base/*.c src/engine/*.c src/feature/*.c) \
	$(if $(filter 1,$(OWN_ICONV)),src/iconv/iconv.c $B/src/iconv/tables.c)
cli_src := $(wildcard src/cli/*.c)
# Programs of the rings unit, golden and sim; every other C file of tests/golden and tests/sim is linked into theirs.
unit_src := $(wildcard tests/unit/test_*.c)
ring_src := $(unit_src) $(foreach d,golden sim,$(wildcard tests/$d/test_*.c tests/$d/$d_*.c))
fuzz_src := $(wildcard tests/fuzz/fuzz_*.c)
bench_src := $(wildcard tests/bench/bench_*.c)
support_src := $(wildcard tests/support/*.c)

obj = $(patsubst %.c,$B/%.o,$(1:$B/%=%))
lib_obj := $(call obj,$(lib_src))
cli_obj := $(call obj,$(cli_src))
support_obj := $(call obj,$(support_src))
unit_bin := $(unit_src:%.c=$B/%)
ring_bin := $(ring_src:%.c=$B/%)
bench_bin := $(bench_src:%.c=$B/%)
ring_support = $(call obj,$(filter-out $(ring_src) $(fuzz_src) $(bench_src),$(wildcard tests/$(1)/*.c)))
cli_lib_obj := $(filter-out $B/src/cli/main.o,$(cli_obj))

.PHONY: all
all: $B/coo $B/libcoo.a ## build coo and libcoo

# Objects depend on a file that changes only when the flags do.
flags_now := $(CC) $(own_iconv) $(all_cppflags) $(all_cflags) $(all_ldflags)
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
	$Q$(CC) -D_GNU_SOURCE $(own_iconv) $(all_cppflags) $(pkg_cflags) $(all_cflags) -MMD -MP -c $< -o $@

# The tables of our own iconv are made by a program that runs here and asks the iconv that is here.
HOSTCC ?= cc
$B/mktables: src/iconv/mktables.c src/iconv/tables.h
	@mkdir -p $(@D)
	$Q$(HOSTCC) -O1 -Isrc $< -o $@
$B/src/iconv/tables.c: $B/mktables
	@mkdir -p $(@D)
	$(if $Q,@echo "  GEN  $@")
	$Q$B/mktables > $@.tmp && mv $@.tmp $@
$B/src/iconv/tables.o: $B/src/iconv/tables.c $B/flags
	$Q$(CC) $(all_cppflags) $(all_cflags) -c $< -o $@

$B/libcoo.a: $(lib_obj)
	$(if $Q,@echo "  AR   $@")
	$Qrm -f $@; $(AR) rcsD $@ $^
$B/coo: $(cli_obj) $B/libcoo.a
	$(if $Q,@echo "  LD   $@")
	$Q$(CC) $(all_cflags) $(all_ldflags) $(cli_obj) $B/libcoo.a $(all_libs) -o $@

# --- tests -------------------------------------------------------------------------------------------

# Tests may reach the command line's parts too, so all objects but main.o are linked.
test_obj = $(support_obj) $(cli_lib_obj) $B/libcoo.a
define ring_rule
$B/tests/$(1)/%: $B/tests/$(1)/%.o $(call ring_support,$(1)) $(test_obj)
	$(if $Q,@echo "  LD   $$@")
	$Q$(CC) $(all_cflags) $(all_ldflags) $$^ $(2) $(all_libs) -o $$@
endef
$(foreach r,unit golden sim bench,$(eval $(call ring_rule,$r,-lcmocka)))
$(eval $(call ring_rule,fuzz,$(if $(FUZZER),-fsanitize=fuzzer) -lcmocka))
$(if $(FUZZER),,$(fuzz_src:%.c=$B/%): $B/tests/fuzz/replay/main.o)
# Our own iconv is tested against the system's in every build.
$B/tests/unit/test_iconv.o: own_iconv :=
$B/tests/unit/test_iconv: $(if $(filter 1,$(OWN_ICONV)),,$B/src/iconv/iconv.o $B/src/iconv/tables.o)
.PRECIOUS: $B/%.o

# A real iptux without its window, for the interop ring: where the package iptux with its headers is installed.
iptux_bin := $(if $(and $(wildcard tests/interop/iptuxd.cpp),$(shell $(PKG_CONFIG) --exists iptux-core 2>/dev/null && echo yes)),$B/tests/interop/iptuxd)
$B/tests/interop/iptuxd: tests/interop/iptuxd.cpp
	@mkdir -p $(@D)
	$(if $Q,@echo "  CXX  $<")
	$Q$(CXX) -std=c++17 -O1 -w $< $$($(PKG_CONFIG) --cflags --libs iptux-core) -lpthread -o $@

# Fuzz programs live in a build of their own, made with clang; without its libFuzzer the corpora are only replayed.
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 10
fuzz_probe := int LLVMFuzzerTestOneInput(const unsigned char *p, unsigned long n) { (void)p, (void)n; return 0; }
has_fuzzer = $(shell echo '$(fuzz_probe)' | $(FUZZ_CC) -fsanitize=fuzzer -x c - -o /dev/null 2>/dev/null && echo yes)
.PHONY: fuzz-programs fuzz-build
fuzz-programs: $(fuzz_src:%.c=$B/%)
fuzz-build:
	+$Q$(submake) B=$B/fuzz STATIC= $(if $(has_fuzzer),CC=$(FUZZ_CC) SANITIZE=address$(comma)undefined FUZZER=1) fuzz-programs

.PHONY: unit test test-all test-long asan fuzz bench
unit: $(unit_bin) ## build and run the unit tests
	$Qset -e; for t in $(unit_bin); do $$t; done

test: ## install what is missing, build, run all test rings (RINGS="cli netns" for some)
	@scripts/install-deps.sh test
	+@$(submake) test-all

RINGS ?=
test-all: all $(ring_bin) $(iptux_bin) fuzz-build
	@B=$B FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/run-tests.sh $(RINGS)

test-long: ## what takes too long for every day: large files, hundreds of cuts, ten minutes of load, fuzzing by the minute
	@scripts/install-deps.sh ci
	+@$(submake) FUZZ_SECONDS=60 RINGS='long fuzz' test-all

asan: ## all test rings under address and undefined-behaviour sanitizers
	+@$(submake) B=build-asan SANITIZE=address,undefined test

fuzz: fuzz-build ## replay the corpora, then fuzz each target for FUZZ_SECONDS (10)
	@B=$B FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/run-tests.sh fuzz

bench: all $(bench_bin) ## measure beside the rivals that can be had; prints "name value unit" lines
	-@scripts/install-deps.sh bench
	@B=$B COO=$B/coo; export B COO; set -e; \
	for b in $(bench_bin) $(wildcard tests/bench/bench_*.py tests/bench/bench_*.sh); do $$b; done

# --- running, checking -------------------------------------------------------------------------------

.PHONY: run run-all format format-check tidy layers
run: ## install what is missing, build, go online and say what to do next
	@scripts/install-deps.sh run
	+@$(submake) run-all
run-all: all
	@B=$B scripts/run.sh $(ARGS)

c_files = $(wildcard proto/*.[ch] src/*/*.[ch] tests/*/*.[ch])
CLANG_FORMAT ?= clang-format
format: ## lay out all C sources
	@$(CLANG_FORMAT) -i $(c_files)
format-check: ## fail where "make format" would change something
	@$(CLANG_FORMAT) --dry-run -Werror $(c_files)

tidy: ## clang-tidy over the C sources of the product
	@scripts/tidy.sh $(all_cppflags) $(pkg_cflags)

layers: $(lib_obj) ## check the direction of includes, symbols, names and banned functions
	@B=$B scripts/check-layers.sh

# --- delivering --------------------------------------------------------------------------------------

.PHONY: static install uninstall dist
static: ## one program without shared libraries: build-static/coo
	@scripts/check-static.sh
	+@$(submake) B=build-static STATIC=1 build-static/coo

public_headers = $(wildcard proto/*.h)
man_pages = $(wildcard src/man/*.[1-9])
install: all $B/libcoo.pc ## install to PREFIX (/usr/local) beneath DESTDIR
	install -d $(addprefix $(DESTDIR),$(BINDIR) $(LIBDIR)/pkgconfig $(INCDIR)/coo $(COMPDIR))
	install -m 755 $B/coo $(DESTDIR)$(BINDIR)/coo
	install -m 644 $B/libcoo.a $(DESTDIR)$(LIBDIR)/libcoo.a
	install -m 644 $B/libcoo.pc $(DESTDIR)$(LIBDIR)/pkgconfig/libcoo.pc
	install -m 644 src/completion/coo.bash $(DESTDIR)$(COMPDIR)/coo
	set -e; for h in $(public_headers); do \
		sed 's|#include "proto/|#include "coo/|' $$h > $B/header.tmp; \
		install -m 644 $B/header.tmp $(DESTDIR)$(INCDIR)/coo/$${h##*/}; done; rm -f $B/header.tmp
	set -e; for m in $(man_pages); do install -d $(DESTDIR)$(MANDIR)/man$${m##*.}; \
		install -m 644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.}/; done

uninstall: ## remove what install put there
	rm -f $(addprefix $(DESTDIR),$(BINDIR)/coo $(LIBDIR)/libcoo.a $(LIBDIR)/pkgconfig/libcoo.pc $(COMPDIR)/coo)
	rm -f $(addprefix $(DESTDIR)$(INCDIR)/coo/,$(notdir $(public_headers)))
	rm -f $(foreach m,$(man_pages),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m))
	-rmdir $(DESTDIR)$(INCDIR)/coo

$B/libcoo.pc: src/libcoo.pc.in src/base/version.h $B/flags
	sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCDIR@|$(INCDIR)|; s|@VERSION@|$(VERSION)|; s|@LIBS@|$(iconv_libs)|' $< > $@

dist: ## coo-VERSION.tar.gz of the commit that is checked out, the same bytes everywhere
	git archive --format=tar --prefix=coo-$(VERSION)/ HEAD | gzip -9n > coo-$(VERSION).tar.gz

.PHONY: clean
clean: ## remove what was built
	rm -rf $B build build-*

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

-include $(shell [ -d $B ] && find $B -name '*.d')
