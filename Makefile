# What people run. What builds or tests sets up what it needs first; `make help` lists all.
root := $(CURDIR)
export PKG_CONFIG_PATH := $(root)/.deps/pkgconfig:$(PKG_CONFIG_PATH)
# The places where a Swift toolchain is usually unpacked, for shells that do not name them.
export PATH := $(PATH):/opt/swift/usr/bin:/usr/local/swift/usr/bin:$(HOME)/.local/share/swiftly/bin
choir := .build/release/choir

.PHONY: help setup build test lint demo bench bench-seams bench-bridges bench-peers clean

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 15

setup: ## install what is missing: libvips and pkg-config by apt, OpenVINO into .deps/, CLIP's vocabulary
	@Scripts/setup.sh

build: setup ## build the command line in release mode
	swift build -c release --product choir

test: setup ## run all tests
	swift test

lint: ## check the format of all Swift files
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Examples

demo: build ## paint demo.png, 4096 x 4096 pixels
	@rm -rf demo.png.run
	$(choir) generate "red emission nebula" --region "golden globular cluster@0.55,0.5,0.45,0.5" \
	    --region "blue nebula@0,0.6,0.4,0.4" --size 4096x4096 --output demo.png --report demo.json
	@echo "see $(root)/demo.png and the report in $(root)/demo.json"

bench: build ## measure what painting costs beside the network, as ratios
	@Scripts/bench.sh $(choir)

bench-seams: build ## measure the visibility of tile borders over eight prompts
	@Scripts/bench-seams.sh $(choir)

bench-bridges: build ## paint with every bridge and compare (a quarter of an hour); DATA=FOLDER adds real pictures
	@Scripts/bench-bridges.sh $(choir) bench-bridges

bench-peers: build ## compare with PyTorch, OpenVINO and diffusers at full size (three hours; downloads them by pip)
	@Scripts/bench-peers.sh $(choir) bench-peers

clean: ## remove what was built and what was installed
	rm -rf .build .deps Sources/ChoirModels/Resources/CLIP/merges.txt demo.png demo.png.run demo.json bench-bridges bench-peers
