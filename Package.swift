// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

// Scripts/setup.sh installs OpenVINO there; a program finds it again by its run path.
let openvinoLibraries = Context.packageDirectory + "/.deps/openvino/openvino/libs"

let package = Package(
    name: "choir",
    products: [
        .library(name: "Choir", targets: ["Choir", "ChoirEngine"]),
        .executable(name: "choir", targets: ["ChoirCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // Pure Swift: builds and tests with no C library installed.
        .target(name: "ChoirTensor", swiftSettings: settings),
        .target(name: "ChoirSampling", dependencies: ["ChoirTensor"], swiftSettings: settings),
        .target(name: "ChoirGraph", dependencies: ["ChoirTensor"], swiftSettings: settings),
        .target(
            name: "ChoirModels", dependencies: ["ChoirGraph", "ChoirSampling", "ChoirTensor"],
            resources: [.copy("Resources/CLIP"), .copy("Resources/Cosmos")], swiftSettings: settings),
        .target(name: "Choir", dependencies: ["ChoirSampling", "ChoirTensor"], swiftSettings: settings),

        // Native: one target for each C library.
        .systemLibrary(name: "COpenVINO", pkgConfig: "openvino_c"),
        .target(
            name: "ChoirRuntime",
            dependencies: ["COpenVINO", "ChoirGraph", "ChoirTensor", .product(name: "Logging", package: "swift-log")],
            swiftSettings: settings,
            linkerSettings: [.unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", openvinoLibraries])]),
        .systemLibrary(name: "CVips", pkgConfig: "vips", providers: [.apt(["libvips-dev"])]),
        .target(name: "ChoirImage", dependencies: ["CVips"], swiftSettings: settings),

        // Everything together: models that run, pictures that are written.
        .systemLibrary(name: "CMalloc"),
        .target(
            name: "ChoirEngine",
            dependencies: [
                "CMalloc", "Choir", "ChoirGraph", "ChoirImage", "ChoirModels", "ChoirRuntime", "ChoirSampling",
                "ChoirTensor",
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "ChoirCommand",
            dependencies: [
                "Choir", "ChoirEngine", "ChoirImage", "ChoirModels", "ChoirRuntime", "ChoirSampling", "ChoirTensor",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "MiniParallelDiffusion", dependencies: ["Choir", "ChoirEngine"],
            path: "Examples/MiniParallelDiffusion", swiftSettings: settings),

        .testTarget(name: "ChoirTensorTests", dependencies: ["ChoirTensor"], swiftSettings: settings),
        .testTarget(
            name: "ChoirSamplingTests", dependencies: ["ChoirSampling", "ChoirTensor"],
            resources: [.copy("Fixtures")], swiftSettings: settings),
        .testTarget(
            name: "ChoirGraphTests", dependencies: ["ChoirGraph", "ChoirTensor"], exclude: ["Goldens"],
            swiftSettings: settings),
        .testTarget(
            name: "ChoirTests", dependencies: ["Choir", "ChoirSampling", "ChoirTensor"], swiftSettings: settings),
        .testTarget(
            name: "ChoirRuntimeTests", dependencies: ["ChoirRuntime", "ChoirGraph", "ChoirTensor"],
            swiftSettings: settings),
        .testTarget(
            name: "ChoirModelsTests",
            dependencies: ["ChoirGraph", "ChoirModels", "ChoirRuntime", "ChoirSampling", "ChoirTensor"],
            resources: [.copy("Fixtures")], swiftSettings: settings),
        .testTarget(
            name: "ChoirEngineTests",
            dependencies: [
                "CVips", "Choir", "ChoirEngine", "ChoirGraph", "ChoirImage", "ChoirModels", "ChoirRuntime",
                "ChoirSampling", "ChoirTensor",
            ],
            resources: [.copy("Fixtures")], swiftSettings: settings),
        .testTarget(name: "ChoirImageTests", dependencies: ["ChoirImage"], swiftSettings: settings),
        .testTarget(
            name: "ChoirCommandTests", dependencies: ["ChoirCommand", "MiniParallelDiffusion"],
            swiftSettings: settings),
    ]
)
