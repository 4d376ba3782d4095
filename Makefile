# Everything a developer does here. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

STAMPS := .make
# rustup and `pip install --user` put their commands where a fresh shell may not look
export PATH := $(HOME)/.cargo/bin:$(HOME)/.local/bin:$(CURDIR)/$(STAMPS)/uv/bin:$(PATH)
WEB_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)
CORE_SOURCES := $(shell find sfu/Cargo.toml sfu/Cargo.lock sfu/crates -type f)
WEB_BUNDLE := server/src/tertulia/web_dist/index.html
DOCS_SOURCES := mkdocs.yml tools/docs_site.py $(shell find docs -type f)
DOCS_SITE := server/src/tertulia/docs_dist/index.html.gz

##@ Use
.PHONY: help run build
help: ## list what can be done
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

run: prepare ## build what has changed, then serve on http://localhost:6080 (settings: docs/configuration.md)
	@exec .venv/bin/tertulia serve $(ARGS)

build: need-run $(WEB_BUNDLE) $(DOCS_SITE) ## wheels with everything inside, in dist/
	uv build --all-packages --wheel --out-dir dist

##@ Develop
# most tests wait for media or for processes to start: three at once fill two cores
TESTS_AT_ONCE ?= 3
.PHONY: check fix test test-rust test-web test-python e2e soak
check: prepare-dev ## all that is checked without running: format, lint, types, imports, structure, words
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python -m tools.checks
	cd web && npm run --silent check
	cd sfu && cargo fmt --all --check
	cd sfu && cargo clippy --release --all-targets -- -D warnings

fix: prepare-dev ## format, and fix what the linters can fix
	.venv/bin/ruff check --fix . || true
	.venv/bin/ruff format .
	cd web && npm run --silent fix
	cd sfu && cargo fmt --all

test: need-test prepare-dev test-rust test-web test-python ## the whole test suite

test-rust: ## the media core, in virtual time
	cd sfu && cargo test --release --workspace --exclude tertulia-sfu-py

test-web: $(STAMPS)/npm ## the page's view models
	cd web && npm test --silent

test-python: ## everything else, browsers included (T=path picks): side by side what measures no time, then the rest
	.venv/bin/pytest -m "not measures_time" --numprocesses $(TESTS_AT_ONCE) --dist loadfile $(or $(T),tests --ignore tests/soak --ignore tests/e2e) || [ $$? = 5 ]
	$(if $(T),,.venv/bin/pytest -m "not measures_time" --numprocesses 2 --dist loadfile tests/e2e) # browsers fill two cores
	.venv/bin/pytest -m measures_time $(T) || [ $$? = 5 ] # 5: none was picked

e2e: need-test prepare-dev ## only the tests with real browsers
	.venv/bin/pytest tests/e2e

soak: need-test prepare-dev ## what is too long for every day: repetitions, random kills, long meetings
	.venv/bin/pytest tests/soak --timeout 7200 $(ARGS)

.PHONY: sanitize
sanitize: ## the Rust tests under AddressSanitizer and LeakSanitizer (minutes to build, minutes to run)
	cd sfu && RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address LSAN_OPTIONS=suppressions=$(CURDIR)/sfu/lsan.supp \
		CARGO_TARGET_DIR=target/sanitize cargo test --workspace --exclude tertulia-sfu-py --no-fail-fast \
		--target "$$(rustc -vV | sed -n 's/^host: //p')"

SECONDS ?= 60
.PHONY: fuzz
fuzz: need-test prepare-dev ## fuzz each input for SECONDS=60 (T=path picks, SEED= repeats a run)
	FUZZ_SECONDS=$(SECONDS) FUZZ_SEED=$(SEED) .venv/bin/pytest $(or $(T),tests/fuzz) -s --timeout 0 $(ARGS)

##@ Measure
ROWS ?= 1x4 1x20 1x150 10x20 10x40 10x4x4
.PHONY: bench bench-abuse bench-api bench-forwarding bench-media bench-network bench-page bench-recording bench-peers
bench: prepare-dev bench-peers ## join time, and forwarded packets per server CPU-second
	.venv/bin/python -m bench.join_time
	.venv/bin/python -m bench.forwarding --rows 1x4 1x20 --runs 1 --dry-run

bench-forwarding: prepare-dev bench-peers ## packets a server CPU-second beside livekit-server's; into docs/performance.md (ROWS="1x4 10x20" picks)
	.venv/bin/python -m bench.forwarding --rows $(ROWS) $(ARGS)

bench-api: prepare-dev ## REST requests a second and 100,000 rooms, SQLite and PostgreSQL
	.venv/bin/python -m bench.api
	.venv/bin/python -m bench.many_rooms

bench-media: need-test prepare-dev bench-peers ## joins, restart, Chromium pages beside livekit-server; into docs/performance.md (PARTS="restart pages" picks)
	.venv/bin/python -m bench.media $(if $(PARTS),--parts $(PARTS)) $(ARGS)

bench-network: need-test prepare-dev bench-peers ## two Chromium pages over bad networks beside livekit-server; into docs/performance.md (ARGS="--rows loss-30" picks)
	.venv/bin/python -m bench.network $(ARGS)

bench-page: need-test prepare-dev bench-peers ## the page in Chromium: join, paint, 25 tiles, heap; written into docs/performance.md
	.venv/bin/python -m bench.page

.PHONY: pictures
pictures: need-test prepare-dev ## the pictures of docs/images, taken again (T="people phone" picks, without README's and the console's)
	$(if $(T),,PYTHONPATH=tests .venv/bin/python -m tools.readme_picture)
	$(if $(T),,PYTHONPATH=tests .venv/bin/python -m tools.console_picture)
	PYTHONPATH=tests .venv/bin/python -m tools.state_pictures $(T)

bench-abuse: need-test prepare-dev ## what ordinary users notice of attacks: the table in docs/security.md, written again
	.venv/bin/python -m bench.abuse

bench-recording: prepare-dev bench-peers ## CPU of a recording, and how soon it plays
	.venv/bin/python -m bench.recording
	.venv/bin/python -m bench.recording_start

bench-peers: # the synthetic participants of the benchmarks
	@cd sfu && cargo build --release --quiet --package tertulia-sfu-load

# ── what the goals above stand on ──
.PHONY: prepare prepare-dev need-run need-test
need-run:
	@tools/need run
	@command -v uv >/dev/null || { echo "Installing uv into $(STAMPS)/uv …"; python3 -m venv $(STAMPS)/uv && $(STAMPS)/uv/bin/pip install --quiet uv; }

need-test:
	@tools/need test

prepare: need-run $(WEB_BUNDLE) $(DOCS_SITE) $(STAMPS)/core
	@echo "Python environment …"; uv sync --locked --no-dev --inexact

prepare-dev: need-run $(WEB_BUNDLE) $(DOCS_SITE) $(STAMPS)/core
	@echo "Python environment …"; uv sync --locked

# cargo tells what it does while uv, which builds the wheel from what this compiled, would be silent for minutes
$(STAMPS)/core: $(CORE_SOURCES)
	@cargo build --release --manifest-path sfu/Cargo.toml --package tertulia-sfu-py --features pyo3/extension-module
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/npm: web/package-lock.json
	@echo "Installing the page's packages …"
	@cd web && npm ci --no-audit --no-fund --loglevel=error
	@mkdir -p $(STAMPS) && touch $@

# the generator is in no environment of the product's; without it, say without a network, the server says so at /docs
$(DOCS_SITE): $(DOCS_SOURCES) | need-run
	@echo "Building the documentation …"
	@uv run --locked --isolated --only-group docs python -m tools.docs_site || echo "… the documentation is not built"
	@if [ -e $@ ]; then touch $@; fi

$(WEB_BUNDLE): $(STAMPS)/npm $(WEB_SOURCES)
	@echo "Building the page …"
	@cd web && npm run --silent build
	@touch $@
