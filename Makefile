# One-line commands for people; scripts/ has the rest.

CONFIGURATION ?= debug
SWIFT_BUILD = swift build -c $(CONFIGURATION)

.PHONY: demo test build lint format setup bench fuzz soak

# A whole little world on loopback: CA, two logs, a watcher. Ctrl-C ends it.
demo: setup
	$(SWIFT_BUILD) --product oriel
	$$($(SWIFT_BUILD) --show-bin-path)/oriel demo

test:
	@scripts/setup test
	scripts/test -c $(CONFIGURATION)

build: setup
	$(SWIFT_BUILD)

# System libraries, where they are missing (apt; asks for sudo when not root).
setup:
	@scripts/setup

lint:
	scripts/lint

format:
	swift format format --in-place --recursive --parallel Sources Tests Benchmarks Fuzz Package.swift

# Figures: digest stage and whole process, as ratios to the physical work in the same run.
bench: setup
	scripts/bench

# Every parser of outside bytes under libFuzzer, so many seconds each: make fuzz SECONDS=3600
SECONDS ?= 60
fuzz: setup
	scripts/fuzz $(SECONDS)

# The campaigns of the tests at full length: kills, faults.
soak:
	@scripts/setup test
	ORIEL_SOAK=1 scripts/test -c $(CONFIGURATION) --filter 'KillTests|LyingLogTests|FollowingTests|LogCommandTests|ReadLoadTests|SystemCallTests|CostTests|UnexplainedBurstTests|SimulationTests|SortedRunsTests|FuzzReplayTests|WatchIndexPropertyTests|LookalikePropertyTests'
