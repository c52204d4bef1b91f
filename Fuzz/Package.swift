// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "oriel-fuzz",
  platforms: [.macOS(.v26)],
  dependencies: [.package(name: "oriel", path: "..")],
  targets: [
    .executableTarget(
      name: "oriel-fuzz",
      dependencies: [.product(name: "FuzzTargets", package: "oriel")],
      // libFuzzer brings its own `main`.
      swiftSettings: [.unsafeFlags(["-parse-as-library"])])
  ]
)
