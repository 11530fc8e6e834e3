public import Choir
import ChoirImage

extension RegionMap {
    /// Reads a map from a picture whose colours a legend explains, and reduces it to at most `maximumSide` cells a side.
    ///
    /// Every pixel stands for the nearest colour of the legend, every cell for what most of its pixels stand for.
    ///
    /// - Parameters:
    ///   - path: A PNG, TIFF, JPEG, WebP or PPM of at most 2²⁸ pixels. Transparency counts as black.
    ///   - legend: What its colours stand for.
    /// - Throws: `MapError` that names the file and, for a colour that the legend does not have, the colour and a place
    ///   of it.
    public init(contentsOf path: String, legend: MapLegend) throws(MapError) {
        do {
            let reader = try ImageReader(path: path, maximumPixels: 1 << 28)
            var reduction = MapReduction(width: reader.width, height: reader.height, contents: legend.entries.count)
            var known: [MapColor: Int] = [:]
            while reader.nextRow < reader.height {
                let top = reader.nextRow
                let pixels = try reader.readRows()
                for index in 0..<pixels.count / 3 {
                    let color = MapColor(
                        red: pixels[3 * index], green: pixels[3 * index + 1], blue: pixels[3 * index + 2])
                    let (x, y) = (index % reader.width, top + index / reader.width)
                    guard let entry = known[color] ?? legend.entry(for: color) else {
                        throw MapError(
                            path,
                            "found the colour \(color) at \(x), \(y), expected one of the legend's "
                                + "(\(legend.nearest(to: color)))")
                    }
                    // A picture of millions of colours is not worth the memory to remember them all.
                    if known.count < 4096 { known[color] = entry }
                    reduction.add(entry, x: x, y: y)
                }
            }
            let cells = reduction.finish()
            try self.init(
                width: reduction.columns, height: reduction.rows, cells: cells,
                contents: legend.entries.map(\.content), feather: legend.feather)
        } catch let error as MapError {
            throw error
        } catch let error as ImageError {
            throw MapError(error.subject, error.message)
        } catch {
            throw MapError(path, "\(error)")
        }
    }
}

extension MapLegend {
    /// The nearest colour, for a sentence.
    fileprivate func nearest(to color: MapColor) -> String {
        let nearest = entries.min { $0.color.distance(to: color) < $1.color.distance(to: color) }
        return nearest.map { "the nearest is \($0.color), with a tolerance of \($0.tolerance)" } ?? "there is none"
    }
}

/// Counts what the pixels of each cell stand for, one row of cells at a time.
private struct MapReduction {
    let columns: Int
    let rows: Int
    private let width: Int
    private let height: Int
    private let contents: Int
    private var counts: [Int]
    private var row = 0
    private var cells: [UInt8] = []

    init(width: Int, height: Int, contents: Int) {
        let longer = max(width, height)
        let side = { (length: Int) in
            longer <= RegionMap.maximumSide ? length : max(1, length * RegionMap.maximumSide / longer)
        }
        (columns, rows) = (side(width), side(height))
        (self.width, self.height, self.contents) = (width, height, contents)
        counts = [Int](repeating: 0, count: columns * contents)
    }

    /// Pixels come row by row.
    mutating func add(_ content: Int, x: Int, y: Int) {
        if y * rows / height != row { endRow() }
        counts[x * columns / width * contents + content] += 1
    }

    mutating func finish() -> [UInt8] {
        endRow()
        return cells
    }

    private mutating func endRow() {
        for column in 0..<columns {
            let own = column * contents..<(column + 1) * contents
            let most = own.reduce(own.lowerBound) { counts[$1] > counts[$0] ? $1 : $0 }
            cells.append(UInt8(most - own.lowerBound))
        }
        counts = [Int](repeating: 0, count: counts.count)
        row += 1
    }
}
