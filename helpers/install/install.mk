# SPDX-License-Identifier: MIT
# Targets: install, uninstall, version.
#
#   make install [PREFIX=/usr/local] [bindir=PREFIX/bin] [libdir=PREFIX/lib] [includedir=PREFIX/include] [mandir=PREFIX/share/man]
#   make install DESTDIR=/tmp/root        below that folder, for packages
#   make uninstall                        with the same variables; removes what install puts there, and no more

PREFIX ?= /usr/local
DESTDIR ?=
bindir ?= $(PREFIX)/bin
libdir ?= $(PREFIX)/lib
includedir ?= $(PREFIX)/include
mandir ?= $(PREFIX)/share/man
docdir ?= $(PREFIX)/share/doc/fluxshim
# Where the shells look for completions; zsh has other folders for what a distribution installs.
bashdir ?= $(PREFIX)/share/bash-completion/completions
zshdir ?= $(PREFIX)/share/zsh/site-functions
fishdir ?= $(PREFIX)/share/fish/vendor_completions.d
pc_file = $(libdir)/pkgconfig/fluxshim.pc
INSTALL ?= install

# What is there for a hook is installed if the hook is built, and removed always.
ALL_HOOKS = $(BUILTIN_HOOKS) $(SKIPPED_HOOKS)
hook_files = $(foreach hook,$(1),$(libdir)/fluxshim/hooks/$(hook).so $(mandir)/man7/fluxshim-$(hook).7 \
	$(docdir)/examples/$(hook).json)
EXAMPLES = $(wildcard helpers/hooks/example/*)
# One file, whose SONAME is the name by which it is preloaded, and no libfluxshim.so.0.1.0 with links
# before it: ld.so.cache then has LD_PRELOAD=libfluxshim.so by itself and not by a link that ldconfig
# judges, and one rename replaces the whole of it. Nothing links with it, so nothing needs two versions
# side by side: hooks are held against the ABI in their header, the engine against its own.
INSTALLED = $(libdir)/libfluxshim.so $(libdir)/fluxshim/engine.so $(call hook_files,$(1)) \
	$(libdir)/fluxshim/fluxshim-checkpoint.schema.json \
	$(bindir)/fluxctl $(mandir)/man1/fluxctl.1 \
	$(bashdir)/fluxctl $(zshdir)/_fluxctl $(fishdir)/fluxctl.fish \
	$(includedir)/fluxshim.h $(pc_file) $(mandir)/man7/fluxshim.7 \
	$(mandir)/man3/fluxshim.h.3 $(EXAMPLES:helpers/hooks/example/%=$(docdir)/examples/%)
# Only these folders are its own.
OWN_FOLDERS = $(libdir)/fluxshim/hooks $(libdir)/fluxshim $(docdir)/examples $(docdir)

# $(call put,FILE,DESTINATION,MODE): a process that starts meanwhile finds the old object or the new one.
define put
$(INSTALL) -D -m $(or $(3),644) $(1) "$(DESTDIR)$(2).new"
mv -f "$(DESTDIR)$(2).new" "$(DESTDIR)$(2)"

endef

.PHONY: install uninstall version
# What is built stays the builder's: nothing is written into $(BUILD) by whom may write into PREFIX.
install: all
	$(foreach hook,$(BUILTIN_HOOKS),$(call put,$(BUILD)/fluxshim/hooks/$(hook).so,$(libdir)/fluxshim/hooks/$(hook).so))
	$(foreach hook,$(BUILTIN_HOOKS),$(call put,helpers/hooks/$(hook)/fluxshim-$(hook).7,$(mandir)/man7/fluxshim-$(hook).7))
	$(foreach hook,$(BUILTIN_HOOKS),$(call put,helpers/hooks/$(hook)/example.json,$(docdir)/examples/$(hook).json))
	$(foreach example,$(notdir $(EXAMPLES)),$(call put,helpers/hooks/example/$(example),$(docdir)/examples/$(example)))
	$(call put,$(BUILD)/fluxshim/engine.so,$(libdir)/fluxshim/engine.so)
	$(call put,$(BUILD)/libfluxshim.so,$(libdir)/libfluxshim.so)
	$(call put,shim/fluxshim-checkpoint.schema.json,$(libdir)/fluxshim/fluxshim-checkpoint.schema.json)
	$(call put,shim/fluxshim.h,$(includedir)/fluxshim.h)
	$(call put,shim/fluxshim.7,$(mandir)/man7/fluxshim.7)
	$(call put,shim/fluxshim.h.3,$(mandir)/man3/fluxshim.h.3)
	$(call put,$(BUILD)/fluxctl,$(bindir)/fluxctl,755)
	$(call put,helpers/fluxctl/fluxctl.1,$(mandir)/man1/fluxctl.1)
	$(call put,$(BUILD)/completions/fluxctl.bash,$(bashdir)/fluxctl)
	$(call put,$(BUILD)/completions/fluxctl.zsh,$(zshdir)/_fluxctl)
	$(call put,$(BUILD)/completions/fluxctl.fish,$(fishdir)/fluxctl.fish)
	$(INSTALL) -d "$(DESTDIR)$(libdir)/pkgconfig"
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@libdir@|$(libdir)|; s|@includedir@|$(includedir)|' \
		-e 's|@VERSION@|$(VERSION)|' helpers/install/fluxshim.pc.in >"$(DESTDIR)$(pc_file).new"
	chmod 644 "$(DESTDIR)$(pc_file).new"
	mv -f "$(DESTDIR)$(pc_file).new" "$(DESTDIR)$(pc_file)"
	@test -n "$(DESTDIR)" || echo "installed; ldconfig lets LD_PRELOAD=libfluxshim.so find it without a path"

uninstall:
	rm -f $(foreach file,$(call INSTALLED,$(ALL_HOOKS)),"$(DESTDIR)$(file)")
	for folder in $(foreach folder,$(OWN_FOLDERS),"$(DESTDIR)$(folder)"); do \
		test ! -d "$$folder" || rmdir --ignore-fail-on-non-empty "$$folder"; done

version:
	@echo $(VERSION)

# The packages, in $(BUILD)/deb.
.PHONY: deb
deb:
	@./helpers/deb/build
