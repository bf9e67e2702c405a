# SPDX-License-Identifier: GPL-2.0
#
#   make               wireguard.ko for one kernel, and tools/wgpeer
#   make demo          a server, a client and two sites in a virtual machine
#   make check         every test; the last line counts them
#   make bench         ours against the kernel's own module, a table
#
# KDIR= names the kernel headers. The default is the running kernel's, else the
# newest that are installed. `make help` tells the rest.

SHELL := /bin/bash
KDIR ?= $(shell selftests/kernels/installed)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

all: module tools

module:
	@test -n "$(KDIR)" || { echo "no kernel headers found: install linux-headers-*, or say KDIR=" >&2; exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools:
	$(MAKE) -C tools

help:
	@echo 'make [KDIR=…]            wireguard.ko and tools/wgpeer'
	@echo 'make demo                the whole thing at work, in a virtual machine'
	@echo 'make check               the tests; KERNELS=all: with those for other machines,'
	@echo '                         and all scenarios on 6.1, 6.12 and 7.x'
	@echo 'make check-static        style, layers, warnings on every kernel'
	@echo 'make check-layers        only the layers'
	@echo 'make map                 which test proves which statement of the protocol'
	@echo 'make check-cross         only the builds for other architectures'
	@echo 'make kunit [UML=kasan]   unit tests in User-Mode Linux'
	@echo 'make kunit ENV=qemu-mips the same on 32 bits, big-endian'
	@echo 'make check-debug         unit tests and scenarios on a debug kernel'
	@echo 'make check-faults        see that the tests find planted faults'
	@echo 'make bench [QUICK=1]     ours against others, each machine in one boot; JSON=FILE'
	@echo 'make deps                install the Debian packages that these need'
	@echo 'selftests/run --help     single scenarios'
	@echo 'make install             module, program and manual pages'
	@echo 'make clean'

deps:
	@selftests/deps

check: deps
	@selftests/check $(KERNELS)

check-static: deps
	@selftests/static/check

check-layers:
	@selftests/static/check layers

map:
	@selftests/spec/check

check-cross: deps
	@selftests/static/check cross

kunit: deps
	@$(if $(ENV),selftests/cross/kunit $(ENV),selftests/run --kunit --env $(if $(UML),uml-$(UML),uml))

check-debug: deps
	@selftests/run --kunit --env qemu-debug
	@selftests/share --env qemu-debug

check-faults: deps
	@selftests/faults/check

bench: deps
	@selftests/bench/bench $(BENCH)

demo: deps
	@selftests/demo/demo

install: all
	$(SUDO) $(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=updates modules_install
	$(SUDO) $(MAKE) -C tools install

clean:
	rm -rf build
	@test ! -d "$(KDIR)" || $(MAKE) -C $(KDIR) M=$(CURDIR) clean
	@$(MAKE) -C tools clean

.PHONY: all module tools help deps check check-static check-layers check-cross
.PHONY: map kunit check-debug check-faults bench demo install clean
