// swift-tools-version: 6.2
import PackageDescription

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "oriel",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "MerkleTree", targets: ["MerkleTree"]),
    .library(name: "CertificateTransparency", targets: ["CertificateTransparency"]),
    .library(name: "CTLogClient", targets: ["CTLogClient"]),
    .library(name: "CTPolicy", targets: ["CTPolicy"]),
    .library(name: "CTPolicyX509", targets: ["CTPolicyX509"]),
    .library(name: "CTPolicyNIO", targets: ["CTPolicyNIO"]),
    .executable(name: "oriel", targets: ["oriel"]),
    // For the package in Fuzz/ alone.
    .library(name: "FuzzTargets", targets: ["FuzzTargets"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.0"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
  ],
  targets: [
    .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
    .systemLibrary(name: "CAllocator"),
    .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
    .target(name: "CICU", linkerSettings: [.linkedLibrary("icui18n"), .linkedLibrary("icuuc")]),
    .systemLibrary(name: "CIDN2", pkgConfig: "libidn2", providers: [.apt(["libidn2-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CPKCS11", pkgConfig: "p11-kit-1", providers: [.apt(["libp11-kit-dev"])]),
    .systemLibrary(name: "CReadNow"),
    .systemLibrary(name: "CPSL", pkgConfig: "libpsl", providers: [.apt(["libpsl-dev"])]),

    .target(name: "OrielFiles"),
    .target(name: "MerkleTree", dependencies: [crypto]),
    .target(name: "CertificateTransparency", dependencies: ["MerkleTree", crypto, cryptoExtras]),
    .target(
      name: "CTLogClient",
      dependencies: [
        "OrielFiles", "CertificateTransparency", "MerkleTree", "CDeflate", asyncHTTPClient, nioCore, nioPosix, nioHTTP1,
      ]),
    .target(name: "OrielLogging", dependencies: ["CertificateTransparency", logging]),
    .target(name: "CTPolicy", dependencies: ["CertificateTransparency", "MerkleTree", crypto, cryptoExtras]),
    .target(name: "CTPolicyX509", dependencies: ["CTPolicy", "CertificateTransparency", x509, asn1]),
    .target(
      name: "CTPolicyNIO",
      dependencies: ["CTPolicy", "CertificateTransparency", "CTPolicyX509", x509, asn1, nioCore, nioSSL]),
    .target(name: "OrielProbe", dependencies: ["CertificateTransparency", "COpenSSL"]),
    .target(
      name: "OrielCheck",
      dependencies: ["OrielProbe", "CTPolicy", "CTLogClient", "CertificateTransparency", "MerkleTree", "OrielFiles"]),
    .target(
      name: "OrielWatchlist", dependencies: ["CertificateTransparency", "MerkleTree", "CICU", "CIDN2", "CPSL"]),
    .target(name: "OrielStore", dependencies: ["CertificateTransparency", "MerkleTree", "OrielFiles", grdb]),
    .target(name: "OrielVerdicts", dependencies: ["CertificateTransparency", "MerkleTree", crypto]),
    .target(
      name: "OrielContacts", dependencies: ["OrielWatchlist", "CertificateTransparency", "MerkleTree", "CAres"]),
    .target(
      name: "OrielAccounts",
      dependencies: [
        "OrielStore", "OrielWatchlist", "OrielMail", "CertificateTransparency", "MerkleTree", crypto,
      ]),
    .target(
      name: "OrielMonitor",
      dependencies: [
        "CTLogClient", "CertificateTransparency", "MerkleTree", "OrielWatchlist", "OrielStore", "CDeflate", crypto,
        logging,
      ]),
    .target(name: "OrielMail", dependencies: [nioCore, nioPosix, nioSSL]),
    .target(
      name: "OrielAlerting",
      dependencies: [
        "OrielMail", "OrielStore", "OrielWatchlist", "CTLogClient", "CertificateTransparency", "MerkleTree",
        asyncHTTPClient,
        nioCore, nioPosix, nioHTTP1, mustache, crypto, logging,
      ]),
    .target(
      name: "OrielSettings",
      dependencies: ["OrielAlerting", "OrielMail", "OrielLogging", "OrielWatchlist", logging, yams]),
    .target(
      name: "OrielServer",
      dependencies: [
        "OrielSettings", "OrielAlerting", "OrielAccounts", "OrielVerdicts", "OrielContacts", "OrielMail",
        "OrielMonitor", "OrielProbe", "OrielWatchlist", "OrielStore", "CTPolicy", "CTLogClient",
        "CertificateTransparency",
        "MerkleTree", hummingbird, nioCore, nioHTTP1, mustache, crypto, x509, asn1, logging,
      ]),
    .target(
      name: "OrielLog",
      dependencies: [
        .target(name: "CReadNow", condition: .when(platforms: [.linux])),
        "CertificateTransparency", "MerkleTree", "OrielLogging", "OrielStore", "OrielFiles", "CDeflate", "CPKCS11",
        crypto, cryptoExtras,
        hummingbird, nioCore, nioSSL, logging,
      ]),
    .target(
      name: "TestWorld",
      dependencies: ["CertificateTransparency", "MerkleTree", "CDeflate", crypto, nioCore, nioPosix, nioHTTP1]),
    .target(
      name: "OrielDemo",
      dependencies: [
        "OrielServer", "OrielAccounts", "OrielLog", "OrielLogging", "OrielAlerting", "OrielMail", "OrielMonitor",
        "OrielWatchlist", "OrielStore", "CTLogClient", "CertificateTransparency", "TestWorld",
      ]),
    .executableTarget(
      name: "oriel",
      dependencies: [
        .target(name: "CAllocator", condition: .when(platforms: [.linux])),
        "OrielServer", "OrielAccounts", "OrielVerdicts", "OrielContacts", "OrielSettings", "OrielLog", "OrielCheck",
        "OrielProbe", "OrielMail", "OrielLogging", "CTPolicy",
        "OrielAlerting",
        "OrielMonitor",
        "OrielDemo", "OrielWatchlist", "OrielStore",
        "CTLogClient", "CertificateTransparency", "MerkleTree", argumentParser, logging,
      ]),
    .executableTarget(
      name: "oriel-bench",
      dependencies: [
        "COpenSSL", "CTPolicy", "OrielAccounts", "OrielCheck", "OrielProbe", "OrielVerdicts", "OrielLog",
        "OrielMonitor", "OrielStore", "OrielWatchlist", "CTLogClient", "CertificateTransparency", "MerkleTree",
        "TestWorld", crypto, cryptoExtras,
      ],
      path: "Benchmarks"),
    .target(
      name: "FuzzTargets",
      dependencies: [
        "CTPolicy", "OrielLog", "OrielMonitor", "OrielWatchlist", "CTLogClient", "CertificateTransparency",
        "MerkleTree", "TestWorld", crypto,
      ]),

    .target(name: "TestSupport", dependencies: ["OrielMail"], path: "Tests/TestSupport", exclude: ["Mail/Server"]),
    .testTarget(name: "OrielFilesTests", dependencies: ["OrielFiles", "TestSupport"]),
    .testTarget(name: "MerkleTreeTests", dependencies: ["MerkleTree", "TestWorld", "TestSupport"]),
    .testTarget(
      name: "CertificateTransparencyTests",
      dependencies: ["CertificateTransparency", "MerkleTree", "TestWorld", "TestSupport", crypto]),
    .testTarget(
      name: "OrielLoggingTests", dependencies: ["OrielLogging", "CertificateTransparency", "TestSupport", logging]),
    .testTarget(
      name: "CTPolicyTests",
      dependencies: ["CTPolicy", "CertificateTransparency", "MerkleTree", "TestWorld", "TestSupport", crypto]),
    .testTarget(
      name: "OrielProbeTests",
      dependencies: ["OrielProbe", "CertificateTransparency", "TestWorld", "TestSupport"],
      exclude: ["Server"]),
    .testTarget(
      name: "CTPolicyX509Tests",
      dependencies: [
        "CTPolicyX509", "CTPolicy", "CertificateTransparency", "TestWorld", "TestSupport", x509, asn1, crypto,
      ]),
    .testTarget(
      name: "CTPolicyNIOTests",
      dependencies: [
        "CTPolicyNIO", "CTPolicyX509", "CTPolicy", "CertificateTransparency", "TestWorld", "TestSupport", nioCore,
        nioPosix, nioSSL, x509, asn1, crypto,
      ]),
    .testTarget(
      name: "OrielCheckTests",
      dependencies: [
        "OrielCheck", "OrielProbe", "CTPolicy", "CTLogClient", "CertificateTransparency", "MerkleTree", "TestWorld",
        "TestSupport",
      ]),
    .testTarget(
      name: "OrielLogTests",
      dependencies: [
        "OrielLog", "oriel", "OrielLogging", "OrielStore", "CTLogClient", "CertificateTransparency", "MerkleTree",
        "TestWorld", "TestSupport", crypto, cryptoExtras, nioCore, logging,
      ]),
    .testTarget(
      name: "OrielStoreTests",
      dependencies: ["OrielStore", "CertificateTransparency", "MerkleTree", "TestWorld", "TestSupport"]),
    .testTarget(
      name: "OrielVerdictsTests",
      dependencies: [
        "OrielVerdicts", "CertificateTransparency", "MerkleTree", "TestWorld", "TestSupport", crypto,
      ]),
    .testTarget(
      name: "OrielContactsTests",
      dependencies: [
        "OrielContacts", "OrielWatchlist", "CertificateTransparency", "MerkleTree", "TestWorld", "TestSupport",
      ]),
    .testTarget(
      name: "OrielAccountsTests",
      dependencies: [
        "OrielAccounts", "OrielStore", "OrielWatchlist", "CertificateTransparency", "MerkleTree", "TestWorld",
        "TestSupport", crypto,
      ]),
    .testTarget(
      name: "OrielWatchlistTests",
      dependencies: ["OrielWatchlist", "COpenSSL", "CertificateTransparency", "MerkleTree", "TestWorld", "TestSupport"]),
    .testTarget(
      name: "CTLogClientTests",
      dependencies: ["CTLogClient", "CertificateTransparency", "MerkleTree", "TestWorld", "TestSupport"]),
    .testTarget(
      name: "OrielMonitorTests",
      dependencies: [
        "OrielMonitor", "OrielStore", "OrielWatchlist", "CTLogClient", "CertificateTransparency", "MerkleTree",
        "TestWorld", "TestSupport", logging,
      ]),
    .testTarget(
      name: "orielTests",
      dependencies: [
        "oriel", "OrielAccounts", "OrielMail", "OrielStore", "CertificateTransparency", "MerkleTree", "TestWorld",
        "TestSupport", crypto,
      ]),
    .testTarget(
      name: "OrielMailTests", dependencies: ["OrielMail", "TestWorld", "TestSupport", nioCore, nioPosix]),
    .testTarget(
      name: "OrielAlertingTests",
      dependencies: [
        "OrielAlerting", "OrielMail", "OrielStore", "CertificateTransparency", "MerkleTree", "TestWorld", "TestSupport",
        logging,
      ]),
    .testTarget(
      name: "OrielSettingsTests",
      dependencies: ["OrielSettings", "OrielAlerting", "OrielMail", "OrielWatchlist", "TestSupport"]),
    .testTarget(
      name: "OrielServerTests",
      dependencies: [
        "OrielServer", "OrielSettings", "OrielAlerting", "OrielAccounts", "OrielVerdicts", "OrielContacts", "OrielMail",
        "OrielLogging", "OrielMonitor", "OrielProbe", "OrielStore", "OrielWatchlist", "CTLogClient",
        "CertificateTransparency", "MerkleTree", "TestWorld", "TestSupport", crypto, logging,
      ]),
    .testTarget(name: "FuzzTargetsTests", dependencies: ["FuzzTargets", "TestWorld", "TestSupport"]),
  ]
)

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]
for target in package.targets where target.type != .system {
  target.swiftSettings = (target.swiftSettings ?? []) + settings
}
