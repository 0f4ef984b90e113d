# Every task of the lab by name. `make` alone prints them.
SHELL := /bin/bash
CACHE := $(or $(CASCADE_LAB_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/cascade-lab)
LAB   := .venv/bin/lab
EXPERIMENT ?= cascade
RUN   ?= $(lastword $(sort $(wildcard runs/*)))

.DEFAULT_GOAL := help
.PHONY: help setup doctor images lab-up lab-down status cascade baseline sim run report judge heal calibrate docs test test-cluster timing check

## help: print this list
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST) | awk '{i=index($$0,": "); printf "  \033[1m%-14s\033[0m %s\n", substr($$0,1,i-1), substr($$0,i+2)}' | { if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi; }

## setup: Python packages at their locked versions, in .venv (every other target does this first)
setup: .venv/.ready
.venv/.ready: uv.lock pyproject.toml scripts/bootstrap
	@scripts/bootstrap "$(CACHE)"
	@touch $@

## doctor: what this machine can do, and what to run for what is missing
doctor: setup
	@$(LAB) doctor

## images: get every image, pulled where a registry answers, else built from package registries
images: setup
	@$(LAB) images ensure

## lab-up: engine, images and the kind cluster with Kafka, Consul and the workload; a second call changes nothing
lab-up: setup
	@$(LAB) up

## lab-down: remove the cluster and everything the lab put on this machine except its cache
lab-down: setup
	@$(LAB) down

## status: what of the lab is on this machine: clusters, open faults, leftovers
status: setup
	@$(LAB) status

## cascade: the whole story from a bare machine: set up, pause Kafka, flood, measure, heal, verdict, report
cascade: lab-up
	@$(LAB) run cascade

## baseline: the same load without a fault; nothing may fire
baseline: lab-up
	@$(LAB) run baseline

## sim: one experiment in the simulator, EXPERIMENT=name or path (default cascade): seconds, and nothing but Python
sim: setup
	@$(LAB) run $(EXPERIMENT) --world sim

## run: one experiment, EXPERIMENT=name or path (default cascade)
run: lab-up
	@$(LAB) run $(EXPERIMENT)

## report: write the page of a run again, RUN=folder (default the last one)
report: setup
	@$(LAB) report $(RUN)

## judge: judge a stored run again, RUN=folder (default the last one)
judge: setup
	@$(LAB) judge $(RUN)

## heal: heal what a killed run left
heal: setup
	@$(LAB) heal

## calibrate: measure the steady use of a node and store the caps
calibrate: lab-up
	@$(LAB) calibrate

## test: every test that needs no cluster (ratios of times: make timing)
test: setup
	@scripts/programs
	@scripts/readers "$(CACHE)"
	@.venv/bin/pytest -q -n auto --dist loadfile -m 'not cluster and not timing and not docs'

## test-cluster: the tests on the real stack (brings the lab up, takes it down)
test-cluster: setup
	@.venv/bin/pytest -v -m cluster --log-level=INFO --durations=12

## timing: the ratios of times that the lab promises, and the whole comparison of the simulator's pools; wants a quiet machine
timing: setup
	@.venv/bin/pytest -q -m timing

## docs: the documentation as a site in site/, which opens without a server or a network
docs: setup
	@"$(CACHE)/tools/bin/uv" sync --quiet --frozen --inexact --group docs
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet --clean
	@.venv/bin/pytest -q -m docs tests/docs
	@echo "docs: site/index.html"

## check: style, types, contracts, shell scripts, then the tests and the documentation
check: setup
	@.venv/bin/ruff check lab tests images loadtests scripts
	@.venv/bin/ruff format --check lab tests images loadtests
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/shellcheck scripts/bootstrap scripts/compare-up scripts/programs scripts/readers .ci/run manifests/factors/many-agents/agents.sh images/rsyslog/ship.sh
	@$(MAKE) --no-print-directory test docs
