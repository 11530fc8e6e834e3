import ArgumentParser
import Choir
import ChoirEngine
import ChoirImage
import Foundation

/// Measures how visible tile borders are.
struct Seams: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures how visible tile borders are in a picture.",
        discussion: """
            The gradient across each line where the cores of two tiles meet, divided by the mean gradient across its \
            24 neighbours on both sides: 1 is invisible. Single bright stars make any line vary, hence the control: \
            as many lines through the middles of tiles.
            """)

    @Argument(help: "A picture in any format that libvips reads.")
    var image: String

    @Option(help: "Side of a tile in pixels. Default: tile and overlap of the picture's metadata.")
    var tile: Int?

    @Option(help: "Pixels that neighbouring tiles share at least.")
    var overlap: Int?

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await exitingOnError {
            let reader = try InputError.reading { () throws(ImageError) in try ImageReader(path: image) }
            let (tile, overlap) = try cut(reader.metadata)
            let request = self.tile == nil ? Self.request(reader.metadata) : nil
            guard request?.bridges.contains(.shift) != true else {
                throw RequestError(
                    "tile", found: "a picture of the bridge shift, whose tiles move",
                    expected: "--tile and --overlap of the lines to measure; the report of its painting has its own")
            }
            let wraps = { (axis: CanvasAxis) in request?.tileable?.contains(axis) ?? false }
            var meter = try SeamMeter(
                width: reader.width, height: reader.height,
                verticalBorders: Self.borders(along: reader.width, tile: tile, overlap: overlap, wraps: wraps(.x)),
                horizontalBorders: Self.borders(
                    along: reader.height, tile: tile, overlap: overlap, wraps: wraps(.y)))
            while reader.nextRow < reader.height {
                // Named, because Swift 6.3.1 cannot compile the span of a temporary here.
                let rows = try InputError.reading { () throws(ImageError) in try reader.readRows() }
                try meter.add(rows: rows.span)
            }
            print(try json ? Self.json(meter.finish()) : Self.table(meter.finish()))
        }
    }

    /// The tiles that the options name, or else the metadata.
    private func cut(_ metadata: ImageMetadata) throws -> (tile: Int, overlap: Int) {
        let parameters = GenerationParameters(parsing: metadata.parameters ?? "")
        guard let side = tile ?? parameters["Tile size"].flatMap({ Int($0) }) else {
            throw RequestError(
                "tile", found: "neither --tile nor a tile size in the metadata of \(image)", expected: "one of them")
        }
        let shared = overlap ?? (tile == nil ? parameters["Overlap"].flatMap { Int($0) } : nil) ?? 0
        guard (16...PaintRequest.maximumSide).contains(side), (0...side / 2).contains(shared) else {
            throw RequestError(
                "tile and overlap", found: "\(side) and \(shared)",
                expected: "a tile of 16 to \(PaintRequest.maximumSide) pixels and an overlap of at most half of it")
        }
        return (side, shared)
    }

    /// Where the cores of tiles meet along a side, as a plan of Choir cuts it.
    private static func borders(along length: Int, tile: Int, overlap: Int, wraps: Bool) -> [Int] {
        let alignment = 16
        let canvas = wraps ? length : (length + alignment - 1) / alignment * alignment
        return TileAxis(length: canvas, window: tile, overlap: overlap, alignment: alignment, wraps: wraps).borders
            .filter { $0 < length }
    }

    /// What was asked for, where the picture's metadata say it.
    private static func request(_ metadata: ImageMetadata) -> PaintRequest? {
        metadata.choir.flatMap { try? JSONDecoder().decode(Reproduction.self, from: Data($0.utf8)) }?.request
    }

    private static func json(_ report: SeamReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }

    private static func table(_ report: SeamReport) -> String {
        let rows = [
            ("all", report.borders), ("columns", report.vertical), ("rows", report.horizontal),
            ("control", report.controls),
        ]
        let lines = rows.compactMap { name, summary in
            summary.map {
                let columns = [$0.mean, $0.p95, $0.worst.ratio].map { String(format: "%8.4f", $0) }.joined()
                return name.padding(toLength: 10, withPad: " ", startingAt: 0)
                    + String(format: "%5d", $0.count) + columns + "  at \($0.worst.axis.rawValue) \($0.worst.position)"
            }
        }
        return "lines     count    mean     p95   worst\n" + lines.joined(separator: "\n")
    }
}
