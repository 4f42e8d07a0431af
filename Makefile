# The short way to everything; each line below is what a person would type. Needs Debian 12.
#
# `make test` and `make build` install what they need (tools/install_deps.sh says what).

CTEST_JOBS ?= 2
.DEFAULT_GOAL := help
.PHONY: help build run test bench format clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

build: ## the release binary, as build/grapnel
	tools/install_deps.sh --build
	cmake --preset release
	cmake --build --preset release --target grapnel
	ln -sfn release/src/app/grapnel build/grapnel

run: build ## build it, start it with an example, send one sample through it; Ctrl-C ends it
	@exec tools/run_demo.sh

test: ## every test, with AddressSanitizer and UndefinedBehaviorSanitizer
	tools/install_deps.sh
	cmake --preset asan
	cmake --build --preset asan
	tools/run_tests.sh asan -j$(CTEST_JOBS)

bench: build ## the rates of the README: ingested, delivered, ten deliveries an event
	tools/install_deps.sh
	cmake --build --preset release
	python3 bench/relay.py

format: ## clang-format over all sources
	tools/check_format.sh --fix

clean: ## removes build/ and the demo's data
	rm -rf build grapnel-data/demo grapnel-data/demo-*
