# Makefile - builds everything; `./cathode` is the friendlier way in.
#
# One non-recursive makefile: sources are found where doc/map.md says they live, a folder's build.mk
# says what it links. A build.mk may set
#   LIBS          libraries of lib/ that it links, in link order (programs default: native base)
#   CFLAGS_EXTRA  more compiler flags for the folder's files
#   LDSCRIPT      a linker script of its own
#   LDFLAGS_EXTRA more linker flags
#   HOST_SKIP     .c files in it that cannot compile on the host (or `all`)
#   HAS_FLOATS    yes: its guest code may use floating point
# That of a third-party library in ports/ says which of its sources (under ROOT, where tools/ports.py put them) are compiled, and how its users are:
#   SOURCES       a folder of .c files
#   LEFT_OUT      those that are not wanted
#   CFLAGS_EXTRA  compiler flags, also for who links it
#   HOST_FLAGS    the same on the host; none: it is not compiled there
# Output goes to O (build), for DEBUG=1 to O/debug. V=1 shows the commands, WERROR= tolerates warnings.
MAKEFLAGS += --no-builtin-rules --no-builtin-variables
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDEXPANSION:

O      := build
# One name for the same folder, whoever calls: else what one built knows no headers for the other.
override O := $(abspath $(O))
DEBUG  := 0
V      :=
WERROR := -Werror
ARCH   := x86_64
CLANG  := clang
GCC    := gcc
LLD    := ld.lld
AR     := llvm-ar
MUSLCC := musl-gcc
PYTHON := $(firstword $(wildcard /usr/bin/python3) python3)
B      := $(if $(filter 1,$(DEBUG)),$(O)/debug,$(O))
Q      := $(if $(V),,@)
say     = $(if $(V),,@printf '  %-6s %s\n' '$(1)' '$(2)')

all: kernel programs doc
	@:

# ---- What there is ---------------------------------------------------------------------------------------------

sources    := $(sort $(shell find kernel lib servers drivers fs net personality cmd boot tests bench \
                -name '*.[chS]' -o -name build.mk -o -name main.c 2>/dev/null))
ours        = $(foreach f,$(sources),$(if $(filter $(1)/%,$f),$f))
not_module := %_test.c %_fuzz.c %_bench.c %_proof.c
# The modules under a folder, without those for other cpus.
modules     = $(filter-out $(not_module),$(filter %.c $(2),$(call ours,$(1))))

libraries := $(filter-out test,$(sort $(foreach f,$(call ours,lib),$(word 2,$(subst /, ,$f)))))
programs  := $(patsubst %/main.c,%,$(filter servers/%/main.c drivers/%/main.c fs/%/main.c net/%/main.c personality/%/main.c,$(sources)))
commands  := $(filter-out $(not_module),$(filter cmd/%.c,$(sources)))
natives   := $(filter tests/native/%.c bench/native/%.c,$(sources))
linuxes   := $(filter tests/linux/%.c,$(sources))
folders   := kernel boot cmd tests/native bench/native $(libraries:%=lib/%) $(programs)

# No floating point, but for programs whose build.mk says HAS_FLOATS := yes.
registers  := -mgeneral-regs-only

define load_folder
LIBS :=
CFLAGS_EXTRA :=
LDSCRIPT :=
LDFLAGS_EXTRA :=
HOST_SKIP :=
HAS_FLOATS :=
$(if $(filter $(1)/build.mk,$(sources)),include $(1)/build.mk)
libs_$(1) := $$(LIBS)
cflags_$(1) := $$(CFLAGS_EXTRA)
ldscript_$(1) := $$(LDSCRIPT)
ldflags_$(1) := $$(LDFLAGS_EXTRA)
host_skip_$(1) := $$(if $$(filter all,$$(HOST_SKIP)),%,$$(addprefix %/,$$(HOST_SKIP)))
$(B)/guest/$(1)/%.o $(B)/host/$(1)/%.o $(B)/gcc/host/$(1)/%.o $(B)/kernel/$(1)/%.o $(B)/gcc/kernel/$(1)/%.o: CFLAGS_EXTRA := $$(CFLAGS_EXTRA)
$(B)/guest/$(1)/%.o: REGISTERS := $$(if $$(HAS_FLOATS),,$(registers))
endef
$(foreach f,$(folders),$(eval $(call load_folder,$f)))
libs_kernel       := $(or $(libs_kernel),base)
# What a program links when its build.mk does not say.
link_libs          = $(or $(libs_$(1)),native base)

# ---- Third-party libraries: who links one that could not be fetched is left out, and ports.py says so ----------------------

PORTED :=
ifneq ($(filter-out clean help,$(or $(MAKECMDGOALS),all)),)
define load_port
LEFT_OUT :=
CFLAGS_EXTRA :=
HOST_FLAGS :=
ROOT := $(shell $(PYTHON) tools/ports.py --note $(O)/ports/$(1).root $(1))
include ports/$(1)/build.mk
port_folder_$(1) := $$(ROOT)/$$(SOURCES)
port_sources_$(1) := $$(if $$(ROOT),$$(filter-out $$(addprefix $$(ROOT)/$$(SOURCES)/,$$(LEFT_OUT)),$$(sort $$(wildcard $$(ROOT)/$$(SOURCES)/*.c))))
port_flags_$(1) := $$(CFLAGS_EXTRA)
port_host_flags_$(1) := $$(HOST_FLAGS)
PORTED += $$(if $$(ROOT),$(1))
endef
ports := $(patsubst ports/%/build.mk,%,$(wildcard ports/*/build.mk))
$(foreach p,$(ports),$(eval $(call load_port,$p)))
missing  := $(filter-out $(PORTED),$(ports))
programs := $(foreach p,$(programs),$(if $(filter $(missing),$(libs_$p)),,$p))
libraries := $(foreach l,$(libraries),$(if $(filter $(missing),$(libs_lib/$l)),,$l))
folders  := kernel boot cmd tests/native bench/native $(libraries:%=lib/%) $(programs)
define port_user_flags
$(B)/guest/$(1)/%.o: CFLAGS_PORT += $(port_flags_$(2))
$(B)/host/$(1)/%.o $(B)/gcc/host/$(1)/%.o: CFLAGS_PORT += $(port_host_flags_$(2))
endef
$(foreach f,$(folders),$(foreach l,$(filter $(PORTED),$(libs_$f)),$(eval $(call port_user_flags,$f,$l))))
CFLAGS_EXTRA :=
endif

# ---- Flags -----------------------------------------------------------------------------------------------------

common_flags := -std=gnu17 -I. -Wall -Wextra -Wstrict-prototypes $(WERROR) -g -fno-strict-aliasing -fno-common -DDEBUG=$(DEBUG)
target_flags := $(common_flags) -O2 -ffreestanding -fno-stack-protector -ffunction-sections -fdata-sections \
                -fno-asynchronous-unwind-tables -fno-omit-frame-pointer
kernel_flags := $(target_flags) $(registers) -mcmodel=kernel -mno-red-zone -fno-pic -mno-omit-leaf-frame-pointer
clang_target := --target=$(ARCH)-unknown-none-elf -nostdlibinc
guest_flags  := $(target_flags) -fpic -fvisibility=hidden
# A header under lib/test/host/ replaces the one of the same path that needs the real machine.
host_flags   := -Ilib/test/host $(subst -DDEBUG=$(DEBUG),-DDEBUG=1,$(common_flags)) -O1 -fno-omit-frame-pointer
sanitizers   := -fsanitize=address,undefined -fno-sanitize-recover=all

comma        := ,
# No name of ours becomes libc's, nor the sanitizers' (which take sched_yield from what they are linked with).
host_link    := -pthread -fuse-ld=lld -Wl,--exclude-libs,host.a

# Everything is made anew when a flag changes; what links is, when a file came or went.
differs        = $(subst x$(strip $(1)),,x$(strip $(2)))$(subst x$(strip $(2)),,x$(strip $(1)))
keep_fresh     = $(if $(call differs,$(file <$(1)),$(2)),$(shell mkdir -p $(dir $(1)))$(file >$(1),$(strip $(2))))
flags_stamp   := $(B)/flags.stamp
sources_stamp := $(B)/sources.stamp
$(call keep_fresh,$(flags_stamp),$(B) $(kernel_flags) $(guest_flags) $(registers) $(host_flags) $(sanitizers) $(host_link))
$(call keep_fresh,$(sources_stamp),$(sources) $(foreach f,$(folders),$(libs_$f) $(ldflags_$f) $(ldscript_$f) $(cflags_$f) $(host_skip_$f)))

REGISTERS = $(registers)
# $(1) output folder, $(2) label, $(3) compiler and flags: how a tree of sources becomes a tree of objects
define compile_rules
$(1)/%.o: %.c $(flags_stamp)
	$$(call say,$(2),$$<)
	$$(Q)mkdir -p $$(@D) && $(3) $$(CFLAGS_EXTRA) $$(CFLAGS_PORT) $$(CFLAGS_HOST) -MMD -MP -c $$< -o $$@
$(1)/%.S.o: %.S $(flags_stamp)
	$$(call say,$(2),$$<)
	$$(Q)mkdir -p $$(@D) && $(3) $$(CFLAGS_EXTRA) -D__ASSEMBLER__=1 -MMD -MP -c $$< -o $$@
endef
objects = $(patsubst %.S,$(1)/%.S.o,$(patsubst %.c,$(1)/%.o,$(2)))

define archive
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)
endef

# ---- Kernel: linked twice, the second time with the symbol table of the first ------------------------------------

kernel_sources := $(call modules,kernel,%.S) $(foreach l,$(libs_kernel),$(call modules,lib/$l,%.S))
kernel_objects := $(call objects,$(B)/kernel,$(kernel_sources))
kernel_script  := kernel/arch/$(ARCH)/kernel.ld
kernel_link     = $(LLD) -static -nostdlib --gc-sections -z max-page-size=4096 -z noexecstack --build-id=none -T $(kernel_script)
$(eval $(call compile_rules,$(B)/kernel,CC,$(CLANG) $(clang_target) $(kernel_flags)))

$(B)/kernel/pass1.S: tools/ksyms.py
	$(Q)mkdir -p $(@D) && $(PYTHON) tools/ksyms.py > $@
$(B)/kernel/pass1.elf: $(B)/kernel/pass1.o $(kernel_objects) $(kernel_script) $(sources_stamp)
	$(call say,LD,$@)
	$(Q)$(kernel_link) -o $@ $(filter %.o,$^)
$(B)/kernel/pass2.S: $(B)/kernel/pass1.elf
	$(Q)$(PYTHON) tools/ksyms.py $< > $@
$(B)/kernel/pass%.o: $(B)/kernel/pass%.S
	$(Q)$(CLANG) $(clang_target) -c $< -o $@
$(B)/kernel.elf: $(B)/kernel/pass2.o $(kernel_objects) $(kernel_script) $(sources_stamp)
	$(call say,LD,$@)
	$(Q)$(kernel_link) -o $@.new $(filter %.o,$^) && $(PYTHON) tools/ksyms.py --check $(B)/kernel/pass1.elf $@.new && mv $@.new $@

kernel: $(if $(wildcard $(kernel_script)),$(B)/kernel.elf)

# ---- Guest libraries and programs ----------------------------------------------------------------------------------

$(eval $(call compile_rules,$(B)/guest,CC,$(CLANG) $(clang_target) $(guest_flags) $$(REGISTERS)))

library_archive = $(B)/lib/lib$(1).a
define library_rules
$(call library_archive,$(1)): $(call objects,$(B)/guest,$(call modules,lib/$(1),%.S)) $(sources_stamp)
	$$(archive)
endef
$(foreach l,$(libraries),$(eval $(call library_rules,$l)))

# Others' code has others' manners: no warnings. It gets no better in DEBUG builds.
define port_rules
$(B)/guest/ports/$(1)/%.o: $(port_folder_$(1))/%.c $(flags_stamp) $(O)/ports/$(1).root
	$$(call say,CC,$(1)/$$(<F))
	$$(Q)mkdir -p $$(@D) && $(CLANG) $(clang_target) $(filter-out -Wall -Wextra -DDEBUG=%,$(guest_flags)) -w $(port_flags_$(1)) -MMD -MP -c $$< -o $$@
$(call library_archive,$(1)): $(patsubst $(port_folder_$(1))/%.c,$(B)/guest/ports/$(1)/%.o,$(port_sources_$(1))) $(sources_stamp)
	$$(archive)
endef
$(foreach p,$(PORTED),$(eval $(call port_rules,$p)))
ports_on_host := $(foreach p,$(PORTED),$(if $(port_host_flags_$p),$p))
define port_host_rules
$(B)/host/ports/$(1)/%.o: $(port_folder_$(1))/%.c $(flags_stamp) $(O)/ports/$(1).root
	$$(call say,HOSTCC,$(1)/$$(<F))
	$$(Q)mkdir -p $$(@D) && $(CLANG) $(filter-out -DDEBUG=%,$(host_flags)) $(sanitizers) -w $(port_host_flags_$(1)) -MMD -MP -c $$< -o $$@
$(B)/host/ports/$(1)/host.a: $(patsubst $(port_folder_$(1))/%.c,$(B)/host/ports/$(1)/%.o,$(port_sources_$(1))) $(sources_stamp)
	$$(archive)
endef
$(foreach p,$(ports_on_host),$(eval $(call port_host_rules,$p)))

# $(1) name in the output, $(2) folder, $(3) objects
define program_rules
$(B)/elf/$(1): $(3) $(foreach l,$(filter $(libraries) $(PORTED),$(call link_libs,$(2))),$(call library_archive,$l)) $(ldscript_$(2)) $(sources_stamp)
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D) && $(LLD) -static -nostdlib --gc-sections -z max-page-size=4096 -z noexecstack --build-id=none \
		$(if $(ldscript_$(2)),-T $(ldscript_$(2))) $(ldflags_$(2)) -o $$@ $$(filter %.o,$$^) --start-group $$(filter %.a,$$^) --end-group
endef
$(B)/bin/%: $(B)/elf/%
	$(Q)mkdir -p $(@D) && llvm-objcopy --strip-debug $< $@

program_names := $(notdir $(programs))
command_names := $(basename $(notdir $(commands)))
# tests/native/x.c becomes bin/tests/x, bench/native/x.c bin/bench/x.
native_name    = $(subst /native/,/,$(basename $(1)))
native_names  := $(foreach n,$(natives),$(call native_name,$n))
$(foreach p,$(programs),$(eval $(call program_rules,$(notdir $p),$p,$(call objects,$(B)/guest,$(call modules,$p,%.S)))))
$(foreach c,$(commands),$(eval $(call program_rules,$(basename $(notdir $c)),cmd,$(call objects,$(B)/guest,$c))))
$(foreach n,$(natives),$(eval $(call program_rules,$(call native_name,$n),$(patsubst %/,%,$(dir $n)),$(call objects,$(B)/guest,$n $(if $(filter bench/%,$n),bench/frame.c)))))
programs: $(addprefix $(B)/bin/,$(program_names) $(command_names))

# ---- Linux programs for tests and benchmarks: static, once with musl, once with glibc -------------------------------

linux_flags := -std=gnu17 -I. -O2 -Wall -Wextra $(WERROR) -static -pthread
linux_tests := lib/test/test_main.c lib/test/test.h
linux_names := $(foreach s,$(linuxes:tests/linux/%.c=%),$s-musl $s-glibc)
$(B)/linux/%-musl: tests/linux/%.c $(linux_tests)
	$(call say,MUSL,$<)
	$(Q)mkdir -p $(@D) && $(MUSLCC) $(linux_flags) $(filter %.c,$^) -o $@
$(B)/linux/%-glibc: tests/linux/%.c $(linux_tests)
	$(call say,GLIBC,$<)
	$(Q)mkdir -p $(@D) && $(GCC) $(linux_flags) $(filter %.c,$^) -o $@
$(B)/bench/bench: $(call ours,bench/linux) bench/frame.c bench/frame.h
	$(call say,MUSL,bench/linux)
	$(Q)mkdir -p $(@D) && $(MUSLCC) $(linux_flags) -g $(filter %.c,$^) -o $@
$(B)/bench/linux_init: bench/linux_init.c
	$(call say,MUSL,$<)
	$(Q)mkdir -p $(@D) && $(MUSLCC) $(linux_flags) $< -o $@
test-programs: $(addprefix $(B)/linux/,$(linux_names)) $(addprefix $(B)/bin/,$(filter tests/%,$(native_names)))
bench-programs: $(B)/bench/bench $(B)/bench/linux_init $(addprefix $(B)/bin/,$(filter bench/%,$(native_names)))

# ---- Host tests: each folder's modules in an archive, one program per test -------------------------------------------

$(B)/host/kernel/%.o: CFLAGS_HOST := -Dsched_yield=kernel_sched_yield
$(eval $(call compile_rules,$(B)/host,HOSTCC,$(CLANG) $(host_flags) $(sanitizers)))
# The folder (of `folders`) that a file belongs to.
folder_of     = $(lastword $(foreach f,$(folders),$(if $(filter $f/%,$(1)),$f)))
# Of what is a cpu's, page tables alone are mere memory.
host_arch    := $(filter-out %/paging.c,$(filter kernel/arch/$(ARCH)/%,$(sources)))
host_modules  = $(filter-out $(if $(filter kernel,$(1)),,%/main.c) $(host_arch) $(host_skip_$(1)),$(call modules,$(1)))
host_archive  = $(B)/host/$(1)/host.a
define host_archive_rules
$(call host_archive,$(1)): $(call objects,$(B)/host,$(call host_modules,$(1))) $(sources_stamp)
	$$(archive)
endef
host_folders := $(foreach f,$(folders),$(if $(call host_modules,$f),$f))
$(foreach f,$(host_folders),$(eval $(call host_archive_rules,$f)))
host_libraries := $(foreach f,$(filter lib/%,$(host_folders)),$(call host_archive,$f)) $(ports_on_host:%=$(B)/host/ports/%/host.a)

# $(1) a *_test.c or *_fuzz.c, $(2) the main program's object. Kernel modules refer to each other in all directions:
# what a test defines stands in for theirs, and lib/test/host/missing.c for the machine.
define host_program_rules
$(B)/host/$(basename $(1)): $(B)/host/$(basename $(1)).o $(2) $(if $(filter kernel/%,$(1)),$(B)/host/lib/test/host/missing.o) \
		$(foreach f,$(filter $(call folder_of,$(1)),$(filter-out lib/%,$(host_folders))),$(call host_archive,$f)) $(host_libraries) $(sources_stamp)
	$$(call say,HOSTLD,$$@)
	$$(Q)$(CLANG) $(sanitizers) $(host_link) $(if $(filter kernel/%,$(1)),-Wl$(comma)-z$(comma)muldefs) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group
endef
# Not those of a folder that is left out for want of a port.
present  = $(foreach f,$(1),$(if $(call folder_of,$f),$f))
tests   := $(call present,$(filter %_test.c,$(sources)))
fuzzers := $(call present,$(filter %_fuzz.c,$(sources)))
$(foreach t,$(tests),$(eval $(call host_program_rules,$t,$(B)/host/lib/test/test_main.o)))
$(foreach t,$(fuzzers),$(eval $(call host_program_rules,$t,$(B)/host/lib/test/fuzz_main.o)))
host_tests   := $(tests:%.c=$(B)/host/%)
host_fuzzers := $(fuzzers:%.c=$(B)/host/%)
host-tests: $(host_tests) $(host_fuzzers)
host-test: $(host_tests)
	$(Q)status=0; for t in $^; do echo "# $$t"; $$t || status=1; done; exit $$status
host-fuzz: $(host_fuzzers)
	$(Q)status=0; for f in $^; do echo "# $$f"; $$f $$(find $$(echo $$f | sed 's,^$(B)/host/,,').corpus -type f 2>/dev/null) || status=1; done; exit $$status

# ---- gcc compiles the same files, with no warning ----------------------------------------------------------------

gcc_flags := -Wall -Wextra -Werror
$(eval $(call compile_rules,$(B)/gcc/kernel,GCC,$(GCC) $(kernel_flags) $(gcc_flags)))
$(eval $(call compile_rules,$(B)/gcc/host,GCC,$(GCC) $(host_flags) $(gcc_flags)))
gcc_objects := $(call objects,$(B)/gcc/kernel,$(kernel_sources)) \
               $(call objects,$(B)/gcc/host,$(foreach f,$(filter-out kernel,$(host_folders)),$(call host_modules,$f)) $(tests) $(fuzzers) $(filter %.c,$(call ours,lib/test)))
gcc-check: $(gcc_objects)

# ---- UEFI loader, initial file tree, disk ----------------------------------------------------------------------------

boot_flags := $(common_flags) -O2 -ffreestanding -fno-stack-protector -mno-red-zone -mgeneral-regs-only -nostdlibinc
$(eval $(call compile_rules,$(B)/uefi,UEFICC,$(CLANG) --target=$(ARCH)-unknown-windows $(boot_flags)))
boot_modules := $(call modules,boot)
# An archive, so that the loader gets what it uses of lib/base and needs nothing for the rest.
$(B)/uefi/base.lib: $(call objects,$(B)/uefi,$(call modules,lib/base)) $(sources_stamp)
	$(archive)
$(B)/BOOTX64.EFI: $(call objects,$(B)/uefi,$(boot_modules)) $(B)/uefi/base.lib $(sources_stamp)
	$(call say,LD,$@)
	$(Q)lld-link -subsystem:efi_application -entry:efi_main -nodefaultlib -out:$@ $(filter %.o %.lib,$^)
boot: $(if $(boot_modules),$(B)/BOOTX64.EFI)

# image/manifest, then the programs of this build, each with what its `manifest` says it needs.
manifests   := $(foreach p,$(programs),$(if $(wildcard $p/manifest),$p/manifest))
image_lines := \#;programs $(foreach p,$(programs),file;/boot/$(notdir $p);0755;0:0;$(B)/bin/$(notdir $p)) \
               $(foreach m,$(manifests),file;/boot/manifest/$(notdir $(patsubst %/manifest,%,$m));0644;0:0;$m) \
               $(foreach f,$(wildcard servers/init/init.rc),file;/boot/init.rc;0644;0:0;$f) \
               $(foreach c,$(command_names),file;/usr/bin/$c;0755;0:0;$(B)/bin/$c)
$(call keep_fresh,$(B)/programs.stamp,$(image_lines))
$(B)/initfs.manifest: image/manifest $(B)/programs.stamp
	$(Q)cp $< $@ && tr ' ;' '\n ' < $(B)/programs.stamp >> $@
$(B)/initfs.img: $(B)/initfs.manifest $(addprefix $(B)/bin/,$(program_names) $(command_names)) $(manifests) \
		$(wildcard servers/init/init.rc image/etc/* ports/*/recipe) tools/mkinitfs.py tools/ports.py
	$(call say,IMAGE,$@)
	$(Q)$(PYTHON) tools/mkinitfs.py --output $@ --manifest $<
initfs: $(B)/initfs.img

doc/abi.md: tools/abidoc.py $(wildcard abi/*.def abi/proto/*.def)
	$(Q)mkdir -p $(B) && $(PYTHON) tools/abidoc.py > $(B)/abi.md && { cmp -s $(B)/abi.md $@ || cp $(B)/abi.md $@; } && touch $@
doc: doc/abi.md

clean:
	rm -rf $(O)
help:
	@echo 'targets: all kernel programs initfs boot host-tests host-test host-fuzz gcc-check test-programs bench-programs doc clean'

.PHONY: all kernel programs test-programs bench-programs host-tests host-test host-fuzz gcc-check boot initfs doc clean help
-include $(shell find $(or $(wildcard $(addprefix $(B)/,kernel guest host gcc uefi)),/nonexistent) -type f -name '*.d' 2>/dev/null)
