# `make` lists the targets. Each one installs what it needs (Debian packages, with sudo where that
# is necessary; Python packages in ~/.cache/glassbox) and leaves its results in build/.
.DEFAULT_GOAL := help
SHELL := /bin/bash
RUN_ARGS ?=
DEMO_ARGS ?=

.PHONY: help deps build run test check readers hostile soak faults valgrind interop bench fuzz \
        coverage lint format docs library image browser demo load generate alerts dashboards chart drill \
        cluster cluster-down e2e infra-test argocd workflows publish slides clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

deps: ## install what all the others need
	@.ci/deps.sh build test check bench coverage docs library image faults valgrind interop browser slides stack chart cluster release publish

build: ## build/release/glassbox and build/release/glassbox-testserver
	@.ci/build.sh

run: ## start the service on loopback, with spans on the terminal (RUN_ARGS="--flag …")
	@.ci/serve.sh $(RUN_ARGS)

test: ## unit, sanitizer, fuzz and wire tests
	@.ci/test.sh

check: ## linters, coverage, library, image, faults, a real Collector, charts, cloud, a node, a soak (CHECK="lint docs": those alone)
	@.ci/check.sh

readers: ## OTLP and expositions, read by decoders that are not ours
	@.ci/readers.sh

hostile: ## thousands of slow, silent, rude or gone clients, in rounds
	@.ci/hostile.sh

soak: ## mixed load for hours, and whether anything grew (SOAK_HOURS=4)
	@SOAK_HOURS=$(or $(SOAK_HOURS),4) .ci/soak.sh

bench: ## measure the budgets and print the table (BENCH_ARGS="--quick")
	@.ci/bench.sh $(BENCH_ARGS)

fuzz: ## go on with each fuzz target for a minute (FUZZ_SECONDS=…, FUZZ_HOURS=…, FUZZ_TARGETS="…")
	@.ci/fuzz.sh --resume $(or $(FUZZ_SECONDS),$(if $(FUZZ_HOURS),$$(($(FUZZ_HOURS) * 3600)),60))

coverage: ## lines and branches that the tests reach, and what they do not
	@.ci/coverage.sh

lint: ## formatting and linters alone
	@.ci/lint.sh

format: ## clang-format all sources
	@.ci/lint.sh --format

docs: ## write the references: options, variables, metrics, the library's API
	@.ci/docs.sh

library: ## the library alone: build, test, install, use it, compare its ABI
	@.ci/library.sh

image: ## build the container image, run it, and ask it
	@.ci/image.sh

faults: ## the program when the system refuses, cuts short, interrupts (FAULTS_SEED=…)
	@.ci/faults.sh

valgrind: ## unit programs and the service under memcheck
	@.ci/valgrind.sh

interop: ## a real OpenTelemetry Collector and Prometheus 3 against the service
	@.ci/interop.sh

demo: ## the local stack: Prometheus, Alertmanager, Collector, load (INCIDENT=outage PROFILE=fast RATE=40)
	@.ci/demo.sh $(DEMO_ARGS)

load: ## a load test with a verdict, on the local stack (WORKLOAD=smoke|average|stress|spike|soak|breakpoint RATE=…)
	@.ci/load.sh

generate: ## write the rules, PrometheusRules, load tests' slo.json, routes' variants and dashboards anew
	@.ci/generate.sh

alerts: ## rules under two promtools, routes under two Alertmanagers, messages, runbooks, the contract
	@.ci/alerts.sh

dashboards: ## write the dashboards' JSON, read it strictly, ask every expression (ANSWERS=1: the tables)
	@.ci/dashboards.sh --write

cluster: ## a Kubernetes node without Docker, to look around in (STACK=1: with all that watches, and the service)
	@.ci/cluster.sh up

cluster-down: ## end it; nothing is left
	@.ci/cluster.sh down

chart: ## the chart without a cluster: rendered, linted, its own tests (CHARTS_DIR=… SCHEMAS_DIR=…)
	@.ci/chart.sh

browser: ## the live page in a real browser, its accessibility, its sources under ESLint
	@.ci/browser.sh

e2e: ## a cluster, all of charts/stack on it, and tests: scaled, paged, rolled (E2E_KUBECONFIG=FILE, CHARTS_DIR=DIR)
	@.ci/e2e.sh

infra-test: ## Terraform, GitOps and the workflows, as far as they can be shown without an account
	@.ci/infra.sh

argocd: ## a real Argo CD and an environment's life under it, on a node of its own (the first time half an hour of building)
	@.ci/argocd.sh

workflows: ## the workflows linted, and what they call run against a registry on the loopback
	@.ci/workflows.sh

publish: ## this commit's image to IMAGE_REPOSITORY, by digest
	@.ci/publish.sh login && .ci/publish.sh image

slides: ## the presentation as PDF, its figures against their sources; the diagrams as they are seen
	@.ci/diagrams.sh && .ci/slides.sh

drill: ## fire an alert by a fault and watch it reach a person (ARGS="ErrorBudgetBurn --fast", ARGS=--list)
	@alerts/drill $(ARGS)

clean: ## remove build/
	rm -rf build
