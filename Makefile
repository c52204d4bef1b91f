# One-line commands for people; scripts/ has the rest.

CONFIGURATION ?= debug
SWIFT_BUILD = swift build -c $(CONFIGURATION)

.PHONY: demo test build lint format setup bench

# A whole little world on loopback: CA, two logs, a watcher. Ctrl-C ends it.
demo: setup
	$(SWIFT_BUILD) --product oriel
	$$($(SWIFT_BUILD) --show-bin-path)/oriel demo

test: setup
	swift test -c $(CONFIGURATION)

build: setup
	$(SWIFT_BUILD)

# System libraries, where they are missing (apt; asks for sudo when not root).
setup:
	@scripts/setup

lint:
	swift format lint --strict --recursive --parallel Sources Tests Benchmarks Package.swift

format:
	swift format format --in-place --recursive --parallel Sources Tests Benchmarks Package.swift

# Figures: digest stage and whole process, as ratios to the physical work in the same run.
bench: setup
	scripts/bench
