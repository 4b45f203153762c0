# SPDX-License-Identifier: MIT
# Builds everything into build/. Targets: all (default), hooks, tests, unit, sanitize, sanitize-hooks,
# fuzz, check, lint, format, clean; install, uninstall and version in helpers/install/install.mk.

# The one place that says it.
VERSION = 0.1.0

CC ?= gcc
CXX ?= g++
RUSTC ?= rustc
BUILD ?= build
OPT ?= -O2 -g

percent = %
MAKEFLAGS += --no-print-directory
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Werror
COMMON = -std=gnu11 $(OPT) $(WARNINGS) -D_GNU_SOURCE -Ishim -MMD -MP $(EXTRA_CFLAGS)

# The shim may meet any libc of its kind, runs inside handlers, and must not be fortified: the
# fortified names are among those that it interposes.
SHIM_FLAGS = $(COMMON) -fPIC -fvisibility=hidden -ftls-model=initial-exec \
	-U_FORTIFY_SOURCE -fno-stack-protector
# Programs pass NULL where libc's headers promise they never do: keep the checks.
SIGSAFE_FLAGS = $(SHIM_FLAGS) -include sigsafe/poison.h -fno-delete-null-pointer-checks \
	-Wno-unknown-warning-option -Wno-nonnull-compare -Wno-tautological-pointer-compare \
	-Wno-pointer-bool-conversion -Wno-deprecated-declarations
ENGINE_FLAGS = $(COMMON) -fPIC -fvisibility=hidden -fstack-protector-strong
# shim/engine/memory.c says why.
ALLOCATOR = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
# Fewer segments: each costs every exec an mmap, and every fork of an armed process a copy.
HARDEN = -Wl,-z,relro,-z,now,-z,noexecstack,-z,defs,-z,noseparate-code
# helpers/install/install.mk says why its SONAME has no version. A wrapper that calls another (syscall(2) does all)
# calls its own, without a symbol that each exec has to look up.
SHIM_LINK = $(HARDEN) -shared -Wl,-Bsymbolic-functions -Wl,-soname,libfluxshim.so -Wl,--version-script=$(BUILD)/exports.map \
	-Wl,--exclude-libs,ALL

objects = $(patsubst shim/%.c,$(BUILD)/obj/%.o,$(wildcard shim/$(1)/*.c))

FORMAT_OBJ = $(call objects,format)
SIGSAFE_OBJ = $(call objects,sigsafe)
WRAP_OBJ = $(call objects,wrap)
BOOT_OBJ = $(call objects,boot)
ENGINE_OBJ = $(call objects,engine)

COMPLETIONS = $(patsubst %,$(BUILD)/completions/fluxctl.%,bash zsh fish)
FLUXCTL_OBJ = $(patsubst helpers/fluxctl/%.c,$(BUILD)/obj/fluxctl/%.o,$(wildcard helpers/fluxctl/*.c helpers/fluxctl/*/*.c))

SERVER_LIB = $(wildcard tests/servers/lib/*.c)
SERVERS = $(patsubst tests/servers/%.c,$(BUILD)/tests/servers/%,$(wildcard tests/servers/*.c))
TOOL_LIB = $(wildcard tests/tools/lib/*.c)
TOOLS = $(patsubst tests/tools/%.c,$(BUILD)/tests/tools/%,$(wildcard tests/tools/*.c))
BENCH_LIB = $(wildcard tests/bench/lib/*.c)
BENCHES = $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/*.c)) $(BUILD)/tests/bench/empty.so
UNITS = $(patsubst tests/unit/test_%.c,$(BUILD)/tests/unit/test_%,$(wildcard tests/unit/test_*.c))
EXAMPLE_HOOKS = $(patsubst helpers/hooks/example/%.c,$(BUILD)/%.so,$(wildcard helpers/hooks/example/*.c))
# The same in other languages, for the tests.
FOREIGN_HOOKS = $(BUILD)/tests/hooks/counter_cpp.so $(BUILD)/tests/hooks/counter_rs.so
FIXTURES = $(patsubst tests/fixtures/%.c,$(BUILD)/tests/fixtures/%,$(wildcard tests/fixtures/*.c)) \
	$(patsubst tests/fixtures/%.cc,$(BUILD)/tests/fixtures/%,$(wildcard tests/fixtures/*.cc))
TEST_HOOKS = $(patsubst tests/hooks/%.c,$(BUILD)/tests/hooks/%.so,$(wildcard tests/hooks/*.c)) \
	$(patsubst tests/hooks/%.cc,$(BUILD)/tests/hooks/%.so,$(wildcard tests/hooks/*.cc)) \
	$(SHAPES:%=$(BUILD)/tests/hooks/shape-%.so)
SHAPES = 1 2 3 4 5 6 7

# A hook whose library isn't there is left out, and `make hooks` says so.
has_header = $(shell echo '\#include <$(1)>' | $(CC) $(2) -E -o /dev/null -x c - 2>/dev/null && echo yes)
LIBPQ_FLAGS := -I$(shell pg_config --includedir 2>/dev/null || echo /usr/include/postgresql)
LIBS_file =
LIBS_exec =
LIBS_notify =
LIBS_sqlite = -lsqlite3
LIBS_postgres = -lpq
LIBS_redis = -lhiredis
FLAGS_postgres = $(LIBPQ_FLAGS)
OPTIONAL_HOOKS := $(if $(call has_header,sqlite3.h),sqlite) $(if $(call has_header,libpq-fe.h,$(LIBPQ_FLAGS)),postgres) \
	$(if $(call has_header,hiredis/hiredis.h),redis)
BUILTIN_HOOKS = file exec notify $(OPTIONAL_HOOKS)
SKIPPED_HOOKS = $(filter-out $(OPTIONAL_HOOKS),sqlite postgres redis)
BUILTINS = $(BUILTIN_HOOKS:%=$(BUILD)/fluxshim/hooks/%.so)
HOOK_LIB = $(patsubst helpers/hooks/%.c,$(BUILD)/obj/hooks/%.o,$(wildcard helpers/hooks/lib/*.c))

.PHONY: all hooks tests unit sanitize sanitize-hooks fuzz check lint format clean
all: $(BUILD)/libfluxshim.so $(BUILD)/fluxshim/engine.so $(EXAMPLE_HOOKS) hooks $(BUILD)/fluxctl $(COMPLETIONS)

hooks: $(BUILTINS)
	@$(foreach hook,$(SKIPPED_HOOKS),echo "skipped: the hook $(hook), for lack of its library's headers";) :

$(BUILD)/libfluxshim.so: $(FORMAT_OBJ) $(SIGSAFE_OBJ) $(WRAP_OBJ) $(BOOT_OBJ) $(BUILD)/exports.map
	$(CC) $(OPT) $(SHIM_LINK) -o $@ $(filter %.o,$^)

$(BUILD)/fluxshim/engine.so: $(ENGINE_OBJ) $(FORMAT_OBJ)
	@mkdir -p $(@D)
	$(CC) $(OPT) $(HARDEN) $(ALLOCATOR) -shared -o $@ $^ -Wl,-Bstatic -lbsd -lmd -Wl,-Bdynamic -ldl -pthread

# Only what is fluxshim's own has a version. The names that it interposes must have none: a program asks
# for pthread_create@GLIBC_2.34, and ld.so takes for it a definition of that version or of none at all.
# Those are what has default visibility and isn't listed here: `local: *` would take it away.
$(BUILD)/exports.map: scripts/exports.txt Makefile
	@mkdir -p $(@D)
	{ echo 'FLUXSHIM_0 { global:'; sed -n 's/^flux_.*/&;/p' $<; echo '};'; } > $@

# dlsym(RTLD_NEXT) looks at its return address: a tail call would hide it.
$(BUILD)/obj/sigsafe/real.o: EXTRA = -fno-optimize-sibling-calls

$(BUILD)/obj/sigsafe/%.o: shim/sigsafe/%.c
	@mkdir -p $(@D)
	$(CC) $(SIGSAFE_FLAGS) $(EXTRA) -c -o $@ $<
$(BUILD)/obj/wrap/%.o: shim/wrap/%.c
	@mkdir -p $(@D)
	$(CC) $(SIGSAFE_FLAGS) -c -o $@ $<
$(BUILD)/obj/format/%.o: shim/format/%.c
	@mkdir -p $(@D)
	$(CC) $(SIGSAFE_FLAGS) -c -o $@ $<
$(BUILD)/obj/boot/%.o: shim/boot/%.c
	@mkdir -p $(@D)
	$(CC) $(SHIM_FLAGS) -c -o $@ $<
# Where an exception of C++ must not get past: shim/engine/hook_guard.h says why.
$(BUILD)/obj/engine/hook_guard.o: EXTRA = -fno-asynchronous-unwind-tables -fno-unwind-tables

$(BUILD)/obj/engine/%.o: shim/engine/%.c
	@mkdir -p $(@D)
	$(CC) $(ENGINE_FLAGS) $(EXTRA) -c -o $@ $<

# Everything of a hook but its one constant stays inside of it.
$(BUILD)/obj/hooks/%.o: helpers/hooks/%.c
	@mkdir -p $(@D)
	$(CC) $(ENGINE_FLAGS) -Ihelpers/hooks $(FLAGS_$(patsubst %/,%,$(dir $*))) -c -o $@ $<
$(BUILD)/fluxctl: $(FLUXCTL_OBJ) $(FORMAT_OBJ)
	$(CC) $(OPT) $(HARDEN) -pie -o $@ $^ -lcjson -Wl,-Bstatic -lbsd -lmd -Wl,-Bdynamic
$(BUILD)/completions/fluxctl.%: $(BUILD)/fluxctl
	@mkdir -p $(@D)
	$< completion $* > $@.new
	@mv $@.new $@
$(BUILD)/obj/fluxctl/%.o: helpers/fluxctl/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ENGINE_FLAGS) -Ihelpers/fluxctl -DFLUXCTL_VERSION='"$(VERSION)"' -DFLUXCTL_LIBDIR='"$(libdir)"' -c -o $@ $<

.SECONDARY: # the objects stay
.SECONDEXPANSION:
$(BUILD)/fluxshim/hooks/%.so: $$(patsubst helpers/hooks/$$(percent).c,$(BUILD)/obj/hooks/$$(percent).o,$$(wildcard helpers/hooks/$$*/*.c)) $(HOOK_LIB)
	@mkdir -p $(@D)
	$(CC) $(OPT) $(HARDEN) -shared -o $@ $^ $(LIBS_$*) -lcjson -ldl

$(BUILD)/%.so: helpers/hooks/example/%.c
	@mkdir -p $(@D)
	$(CC) $(COMMON) -fPIC -shared -o $@ $<
$(BUILD)/tests/hooks/shape-%.so: tests/hooks/shapes.c
	@mkdir -p $(@D)
	$(CC) $(COMMON) -DSHAPE=$* -fPIC -shared -o $@ $<
$(BUILD)/tests/hooks/%.so: tests/hooks/%.cc
	@mkdir -p $(@D)
	$(CXX) -std=c++17 $(OPT) -Wall -Wextra -Werror -Ishim -fPIC -shared -o $@ $<
$(BUILD)/tests/hooks/%.so: tests/hooks/%.c
	@mkdir -p $(@D)
	$(CC) $(COMMON) -fPIC -shared -o $@ $<
$(BUILD)/tests/hooks/counter_cpp.so: helpers/hooks/example/counter.cc shim/fluxshim.h
	@mkdir -p $(@D)
	$(CXX) -std=c++17 $(OPT) -Wall -Wextra -Werror -Ishim -fPIC -shared -o $@ $<
$(BUILD)/tests/hooks/counter_rs.so: helpers/hooks/example/counter.rs
	@mkdir -p $(@D)
	$(RUSTC) --edition 2021 --crate-type cdylib -C panic=abort -D warnings -o $@ $<

# Test servers and fixtures are unmodified programs: no include path to the shim.
tests: all $(SERVERS) $(TOOLS) $(BENCHES) $(UNITS) $(FIXTURES) $(TEST_HOOKS) $(FOREIGN_HOOKS) \
	$(BUILD)/tests/unit/print_settings $(BUILD)/tests/differential
$(BUILD)/tests/servers/%: tests/servers/%.c $(SERVER_LIB) $(wildcard tests/servers/lib/*.h)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(OPT) $(WARNINGS) -D_GNU_SOURCE -Itests/servers/lib -o $@ $< $(SERVER_LIB) -pthread
$(BUILD)/tests/fixtures/%: tests/fixtures/%.c $(wildcard tests/fixtures/lib/*.h)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(OPT) $(WARNINGS) -D_GNU_SOURCE -Itests/fixtures/lib -Itests/servers/lib -o $@ $< \
		-pthread
$(BUILD)/tests/fixtures/%: tests/fixtures/%.cc
	@mkdir -p $(@D)
	$(CXX) -std=c++17 $(OPT) -Wall -Wextra -Werror -o $@ $<
$(BUILD)/tests/tools/%: tests/tools/%.c $(TOOL_LIB) $(wildcard tests/tools/lib/*.h)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(OPT) $(WARNINGS) -D_GNU_SOURCE -Itests/tools/lib -o $@ $< $(TOOL_LIB) -pthread
$(BUILD)/tests/tools/hook_call: tests/tools/hook_call.c shim/fluxshim.h
	@mkdir -p $(@D)
	$(CC) $(COMMON) -rdynamic -o $@ $< -ldl

# A program of many steps that is compared with itself under the shim (scripts/differential).
$(BUILD)/tests/differential: $(wildcard tests/differential/*.[ch])
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(OPT) $(WARNINGS) -D_GNU_SOURCE -o $@ $(filter %.c,$^)

$(BUILD)/tests/bench/%: tests/bench/%.c $(BENCH_LIB) $(wildcard tests/bench/lib/*.h)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(OPT) $(WARNINGS) -D_GNU_SOURCE -Itests/bench -o $@ $< $(BENCH_LIB) -pthread
$(BUILD)/tests/bench/empty.so: tests/bench/preload/empty.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(OPT) $(WARNINGS) -D_GNU_SOURCE -fPIC -shared $(HARDEN) -o $@ $<

# A unit test links the module that it mirrors, and what that needs.
UNIT_settings = shim/format/settings.c
UNIT_http1 = shim/format/http1.c
UNIT_quiet = shim/format/quiet.c
UNIT_utf8 = shim/format/utf8.c
UNIT_fsm = shim/engine/fsm.c
UNIT_checkpoint = shim/format/utf8.c shim/engine/checkpoint.c shim/engine/curve.c shim/engine/document.c shim/engine/file.c \
	shim/engine/fsm.c shim/engine/past.c shim/format/json_bounds.c shim/engine/place.c shim/engine/leftovers.c shim/engine/apart.c
UNIT_curve = shim/engine/curve.c
UNIT_past = shim/engine/past.c shim/format/json_bounds.c
UNIT_hooks_config = shim/engine/hooks_config.c shim/format/settings.c
UNIT_hook_state = shim/engine/hook_state.c
UNIT_hook_thread = shim/engine/hook_thread.c
UNIT_elf_whole = shim/engine/elf_whole.c
UNIT_subscribers = shim/sigsafe/subscribers.c
UNIT_elf_file = $(wildcard helpers/fluxctl/program/elf_*.c)
UNIT_script = helpers/fluxctl/program/script.c
$(BUILD)/tests/unit/test_elf_file $(BUILD)/tests/unit/test_script: EXTRA = -Ihelpers/fluxctl
$(BUILD)/tests/unit/test_elf_file $(BUILD)/tests/unit/test_script: $(wildcard helpers/fluxctl/program/*.[ch])
UNIT_hooks_lib = $(wildcard helpers/hooks/lib/*.c)
$(BUILD)/tests/unit/test_hooks_lib: $(wildcard helpers/hooks/lib/*.[ch])
$(BUILD)/tests/unit/test_hooks_lib: EXTRA = -Ihelpers/hooks -rdynamic
$(BUILD)/tests/unit/test_%: tests/unit/test_%.c tests/unit/unit.h shim/*/*.c shim/*/*.h
	@mkdir -p $(@D)
	$(CC) $(COMMON) $(EXTRA) -Itests/unit -o $@ $< $(UNIT_$*) -lcjson -lbsd -pthread
$(BUILD)/tests/unit/print_settings: tests/unit/print_settings.c shim/format/settings.c shim/format/settings.h
	@mkdir -p $(@D)
	$(CC) $(COMMON) -o $@ $(filter %.c,$^)

unit: $(UNITS)
	@for t in $(UNITS); do $$t || exit 1; done

# The same under AddressSanitizer and UndefinedBehaviorSanitizer, and under valgrind.
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
$(BUILD)/sanitize/built: $(UNITS)
	$(MAKE) BUILD=$(BUILD)/sanitize OPT="-O1 -g $(SANITIZE)" $(UNITS:$(BUILD)/%=$(BUILD)/sanitize/%)
	touch $@
sanitize: $(BUILD)/sanitize/built
	@./scripts/sanitize $(BUILD)
# The built-in hooks and their caller, with the same; tests/builtin_hooks.bats runs them.
sanitize-hooks:
	$(MAKE) BUILD=$(BUILD)/sanitize OPT="-O1 -g $(SANITIZE)" hooks $(BUILD)/sanitize/tests/tools/hook_call

# libFuzzer is clang's. tests/fuzz/corpus has a folder for each.
FUZZ_checkpoint = shim/engine/past.c shim/format/json_bounds.c shim/engine/hook_state.c
FUZZ_settings = shim/format/settings.c
FUZZ_hooks_config = shim/engine/hooks_config.c shim/format/settings.c
FUZZ_document = helpers/fluxctl/document/document.c helpers/fluxctl/document/fields.c shim/format/json_bounds.c
FUZZ_elf = $(wildcard helpers/fluxctl/program/elf_*.c) helpers/fluxctl/program/traits.c
$(BUILD)/fuzz/fuzz_document: $(wildcard helpers/fluxctl/document/*.[ch])
$(BUILD)/fuzz/fuzz_elf: $(wildcard helpers/fluxctl/program/*.[ch])
$(BUILD)/fuzz/fuzz_document $(BUILD)/fuzz/fuzz_elf: EXTRA = -Ihelpers/fluxctl
FUZZ_SECONDS ?= 600
$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c shim/*/*.c shim/*/*.h
	@mkdir -p $(@D)
	clang $(COMMON) $(EXTRA) -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $< $(FUZZ_$*) -lcjson -lbsd
fuzz:
	@./scripts/fuzz $(FUZZ_SECONDS)

check:
	./scripts/check
lint:
	./scripts/lint
format:
	clang-format -i $$(git ls-files '*.c' '*.cc' '*.h')
clean:
	rm -rf $(BUILD)

include helpers/install/install.mk

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
