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
            all lines that are further than that from a border, and the worst of as many of them as there are borders, in \
            the median of all choices.
            """)

    @Argument(help: "A picture in any format that libvips reads.")
    var image: String

    @Option(help: "Side of a tile in pixels. Default: tile and overlap of the picture's metadata.")
    var tile: Int?

    @Option(help: "Pixels that neighbouring tiles share at least.")
    var overlap: Int?

    @Option(
        help: "Also measure how opposite edges meet: x, y or xy. Default: as the picture was painted.",
        transform: WrappedAxes.init(name:))
    var tileable: WrappedAxes?

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await exitingOnError {
            let reader = try InputError.reading { () throws(ImageError) in try ImageReader(path: image) }
            let painted = tile == nil ? Self.reproduction(reader.metadata) : nil
            let axes = tileable ?? painted?.request.tileable
            let wraps = { (axis: CanvasAxis) in axes?.contains(axis) ?? false }
            guard painted == nil || painted?.borders != nil || painted?.request.bridges.contains(.shift) == false else {
                throw RequestError(
                    "tile", found: "a picture of the bridge shift that does not say where its tiles met last",
                    expected: "--tile and --overlap of the lines to measure; the report of its painting has its own")
            }
            let borders = try painted?.borders ?? cut(reader, wraps: wraps)
            var meter =
                borders.columns.isEmpty && borders.rows.isEmpty && axes != nil
                ? nil
                : try SeamMeter(
                    width: reader.width, height: reader.height, verticalBorders: borders.columns,
                    horizontalBorders: borders.rows)
            var edges = try axes.map { _ in try EdgeMeter(width: reader.width, height: reader.height) }
            while reader.nextRow < reader.height {
                // Named, because Swift 6.3.1 cannot compile the span of a temporary here.
                let rows = try InputError.reading { () throws(ImageError) in try reader.readRows() }
                try meter?.add(rows: rows.span)
                try edges?.add(rows: rows.span)
            }
            let found = try edges?.finish()
            let measured = Measured(
                seams: try meter?.finish(),
                edges: found.map { Edges(x: wraps(.x) ? $0.x : nil, y: wraps(.y) ? $0.y : nil) })
            print(try json ? Self.json(measured) : Self.table(measured))
        }
    }

    /// What was measured.
    private struct Measured {
        var seams: SeamReport?
        var edges: Edges?
    }

    /// How opposite edges meet, on the axes that wrap.
    private struct Edges: Encodable {
        var x: TilingScore?
        var y: TilingScore?
    }

    /// The borders of a picture that does not say them, from the side of a tile and the overlap that the options name, or
    /// else its parameters, as a plan of Cosmos cuts it.
    private func cut(_ reader: ImageReader, wraps: (CanvasAxis) -> Bool) throws -> Reproduction.Borders {
        let parameters = GenerationParameters(parsing: reader.metadata.parameters ?? "")
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
        return Reproduction.Borders(
            columns: Self.borders(along: reader.width, tile: side, overlap: shared, wraps: wraps(.x)),
            rows: Self.borders(along: reader.height, tile: side, overlap: shared, wraps: wraps(.y)))
    }

    /// Where the cores of tiles meet along a side.
    private static func borders(along length: Int, tile: Int, overlap: Int, wraps: Bool) -> [Int] {
        let alignment = 16
        let canvas = wraps ? length : (length + alignment - 1) / alignment * alignment
        return TileAxis(length: canvas, window: tile, overlap: overlap, alignment: alignment, wraps: wraps).borders
            .filter { $0 < length }
    }

    /// How the picture was painted, where its metadata say it.
    private static func reproduction(_ metadata: ImageMetadata) -> Reproduction? {
        metadata.choir.flatMap { try? JSONDecoder().decode(Reproduction.self, from: Data($0.utf8)) }
    }

    private static func json(_ measured: Measured) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        var parts = try measured.seams.map { try JSONSerialization.jsonObject(with: encoder.encode($0)) }
        if let edges = measured.edges {
            var object = parts as? [String: Any] ?? [:]
            object["edges"] = try JSONSerialization.jsonObject(with: encoder.encode(edges))
            parts = object
        }
        let data = try JSONSerialization.data(
            withJSONObject: parts ?? [String: Any](), options: [.prettyPrinted, .sortedKeys])
        return String(decoding: data, as: UTF8.self)
    }

    private static func table(_ measured: Measured) -> String {
        let seams = measured.seams
        let rows = [
            ("all", seams?.borders), ("columns", seams?.vertical), ("rows", seams?.horizontal),
            ("control", seams?.controls),
        ]
        var lines = rows.compactMap { name, summary in
            summary.map {
                let columns = [$0.mean, $0.p95, $0.worst.ratio].map { String(format: "%8.4f", $0) }.joined()
                return name.padding(toLength: 10, withPad: " ", startingAt: 0)
                    + String(format: "%5d", $0.count) + columns + "  at \($0.worst.axis.rawValue) \($0.worst.position)"
            }
        }
        if !lines.isEmpty { lines.insert("lines     count    mean     p95   worst", at: 0) }
        if let worst = seams?.controlWorst {
            lines.append("worst of as many control lines: \(String(format: "%.4f", worst))")
        }
        for (name, edge) in [("x", measured.edges?.x), ("y", measured.edges?.y)] {
            guard let edge else { continue }
            lines.append(
                "edges that meet along \(name): ratio \(String(format: "%.4f", edge.ratio)), tiling score "
                    + String(format: "%.4f", edge.score))
        }
        return lines.joined(separator: "\n")
    }
}
