public import ChoirTensor
import Glibc
import Synchronization

/// All constants of one or more graphs as one contiguous piece of memory, without copying a weight.
///
/// OpenVINO takes one blob of weights per model, and every constant is an offset into it. A checkpoint may have several
/// files, and a graph has small constants of its own. So the store reserves one range of addresses, maps the files into
/// it one after another (read-only, each at the start of a page), and puts an area for inline constants behind them and
/// one for weights that are derived from others. Pages are read from disk when the engine first touches them.
///
/// A compiled model points into the store, so the store must live as long as the model; `ChoirRuntime` sees to that.
public final class WeightStore: Sendable {
    /// A weight: where it lies in the store and what its file says about it.
    struct Entry: Hashable, Sendable {
        let offset: Int
        let shape: Shape
        let dataType: DataType
        let path: String
        /// The tensor's name in its file.
        let name: String
        /// Whether the file has the matrix the other way round; ``shape`` is as in the file.
        var isTransposed = false
        /// Whether a shape with more or fewer ones at its end is the same.
        var ignoresTrailingOnes = false
    }

    private struct InlineArea {
        var used = 0
        var offsets: [[UInt8]: Int] = [:]
    }

    /// The most bytes that inline constants of one store may take.
    public static let inlineCapacity = 64 << 20

    /// Inline constants start at multiples of this, the size of a cache line and of an AVX-512 register.
    private static let inlineAlignment = 64

    /// The first byte. The files' part is never written; the inline part only under the lock, and only bytes that no
    /// graph refers to yet.
    nonisolated(unsafe) let base: UnsafeMutableRawPointer
    let reservedByteCount: Int
    private let inlineOffset: Int
    private let inline = Mutex(InlineArea())
    let derived: Mutex<DerivedArea>
    private let entries: [String: Entry]
    private let naming: WeightNaming
    private let fileIdentities: [String]

    /// The files in words, for error messages.
    let origin: String

    /// Maps files side by side.
    ///
    /// - Parameters:
    ///   - files: The files of one checkpoint, such as its shards; none for a graph without weights.
    ///   - naming: How the names that a model asks for become those of the files.
    ///
    /// Throws when two files have a tensor of the same name, when a file was replaced since it was opened, or when the
    /// system refuses the mapping. The corresponding C function is `mmap`.
    public init(files: [SafetensorsFile] = [], naming: WeightNaming = .asWritten) throws(GraphError) {
        self.naming = naming
        var entries: [String: Entry] = [:]
        var fileOffsets: [Int] = []
        var offset = 0
        for file in files {
            fileOffsets.append(offset)
            for (name, tensor) in file.tensors {
                let entry = Entry(
                    offset: offset + tensor.fileRange.lowerBound,
                    shape: tensor.shape,
                    dataType: tensor.dataType,
                    path: file.path,
                    name: name
                )
                if let other = entries.updateValue(entry, forKey: name) {
                    throw GraphError(.storage, name, "both \(other.path) and \(file.path) have this weight")
                }
            }
            offset += Self.pages(file.mapping.bytes.count)
        }
        self.entries = entries
        switch files.count {
        case 0: origin = "(the graph has no files)"
        case 1: origin = "in \(files[0].path)"
        default: origin = "in \(files.map(\.path).joined(separator: ", "))"
        }

        inlineOffset = offset
        derived = Mutex(DerivedArea(offset: offset + Self.inlineCapacity))
        // Addresses cost nothing. From a weight twice as many numbers are derived, of four bytes where it may have two,
        // and they end with a page.
        reservedByteCount =
            offset + Self.inlineCapacity + 4 * (offset + Self.inlineCapacity) + entries.count * Self.pages(1)
        let reserved = mmap(nil, reservedByteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let reserved, reserved != MAP_FAILED else {
            throw GraphError(
                .storage,
                "weights",
                "cannot reserve \(reservedByteCount) bytes of addresses: \(systemMessage())"
            )
        }
        base = reserved
        do throws(GraphError) {
            var identities: [String] = []
            for (file, offset) in zip(files, fileOffsets) {
                identities.append(try Self.map(file, at: reserved + offset))
            }
            fileIdentities = identities
            guard mprotect(reserved + inlineOffset, Self.inlineCapacity, PROT_READ | PROT_WRITE) == 0 else {
                throw GraphError(.storage, "weights", "cannot use memory for constants: \(systemMessage())")
            }
        } catch {
            munmap(reserved, reservedByteCount)
            throw error
        }
    }

    deinit { munmap(base, reservedByteCount) }

    /// Gives the memory of all pages of the files back. What is touched again is read again.
    ///
    /// An engine that has compiled a graph has its own copy of nearly every weight; without this a process would hold
    /// them twice, as far as the system counts. The corresponding C function is `madvise`.
    package func releasePages() {
        // Advice: where it is not taken, nothing but memory is lost.
        if inlineOffset > 0 { _ = madvise(base, inlineOffset, MADV_DONTNEED) }
        for range in derived.withLock({ $0.files }) { _ = madvise(base + range.lowerBound, range.count, MADV_DONTNEED) }
    }

    /// The names of all weights as the files have them, sorted.
    public var names: [String] { entries.keys.sorted() }

    /// The shape of a weight that a model asks for under this name, or nil when there is none; lets a model take its
    /// widths from the checkpoint.
    public func shape(of name: String) -> Shape? {
        guard let entry = entry(named: name) else { return nil }
        return entry.isTransposed ? Shape(entry.shape.dimensions.reversed()) : entry.shape
    }

    /// Changes whenever the weights may have changed: device, file number, size and times of every file, and a hash of
    /// the inline constants.
    package var identity: String {
        let constants = inline.withLock { area in
            var hash = FNV1a()
            hash.combine(UnsafeRawBufferPointer(start: base + inlineOffset, count: area.used))
            return hash.value
        }
        return (fileIdentities + [String(constants, radix: 16)]).joined(separator: " ")
    }

    /// Everything that the engine may read, from the first file to the last constant; derived weights only after
    /// ``Graph/computeDerivedWeights(in:)``.
    ///
    /// Valid as long as the store lives.
    package var bytes: UnsafeRawBufferPointer {
        let derivedEnd = derived.withLock { $0.offsets.isEmpty ? 0 : $0.end }
        let inlineEnd = inlineOffset + max(inline.withLock { $0.used }, 1)
        return UnsafeRawBufferPointer(start: base, count: max(inlineEnd, derivedEnd))
    }

    /// The weight that a model asks for under this name.
    func entry(named name: String) -> Entry? {
        for source in naming.sources(name) {
            guard let tensor = entries[source.name], let entry = tensor.entry(for: source) else { continue }
            var found = entry
            found.ignoresTrailingOnes = naming.ignoresTrailingOnes
            return found
        }
        return nil
    }

    /// Says where a weight was looked for that is not there.
    func absence(of name: String) -> String {
        let sources = naming.sources(name).map(\.name)
        guard sources != [name] else { return "no such weight \(origin)" }
        guard !sources.isEmpty else { return "files of this layout have no such weight (\(origin))" }
        return "no such weight \(origin), as \(sources.joined(separator: " or "))"
    }

    /// Puts a constant into the inline area, or finds the equal one that is there, and returns its offset.
    func store(_ bytes: [UInt8]) throws(GraphError) -> Int {
        let offset: Int? = inline.withLock { area in
            if let known = area.offsets[bytes] { return known }
            guard bytes.count <= Self.inlineCapacity - area.used else { return nil }
            let offset = inlineOffset + area.used
            (base + offset).copyMemory(from: bytes, byteCount: bytes.count)
            let end = area.used + max(bytes.count, 1)
            area.used = min(
                (end + Self.inlineAlignment - 1) / Self.inlineAlignment * Self.inlineAlignment,
                Self.inlineCapacity
            )
            area.offsets[bytes] = offset
            return offset
        }
        guard let offset else {
            throw GraphError(
                .storage,
                "weights",
                "inline constants take more than \(Self.inlineCapacity) bytes; large tables belong into a file"
            )
        }
        return offset
    }

    /// The same number of bytes up to the end of a page.
    static func pages(_ byteCount: Int) -> Int {
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        return (byteCount + pageSize - 1) / pageSize * pageSize
    }

    /// Maps a file that was validated before over a reserved range, and returns what tells it from other files.
    private static func map(
        _ file: SafetensorsFile,
        at address: UnsafeMutableRawPointer
    ) throws(GraphError) -> String {
        let known = file.mapping.bytes
        guard let knownAddress = known.baseAddress else { return "" }
        let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw GraphError(.storage, file.path, "cannot open: \(systemMessage())") }
        defer { close(descriptor) }
        // Before the mapping, since touching a page behind the end of a file that has become shorter ends the process.
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw GraphError(.storage, file.path, "cannot examine: \(systemMessage())")
        }
        let replaced = GraphError(.storage, file.path, "the file was replaced while it was being opened")
        guard Int(status.st_size) == known.count else { throw replaced }
        let mapped = mmap(address, known.count, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, 0)
        guard mapped == address else { throw GraphError(.storage, file.path, "cannot map: \(systemMessage())") }
        // Another file under the same name may have moved in since its header was read. With the same header all
        // offsets hold, and it is simply the newer file that is used.
        let headerEnd = file.tensors.values.map(\.fileRange.lowerBound).min() ?? known.count
        guard memcmp(address, knownAddress, headerEnd) == 0 else { throw replaced }
        // Only the system sets the time of the last change to a file; that of the last writing anyone can set.
        let times = [status.st_mtim, status.st_ctim].map { "\($0.tv_sec).\($0.tv_nsec)" }
        return "\(status.st_dev):\(status.st_ino):\(status.st_size):\(times[0]):\(times[1])"
    }
}

func systemMessage() -> String { String(cString: strerror(errno)) }

extension WeightStore.Entry {
    /// This tensor, or the part of it that a naming wants; nil when it has no such part.
    fileprivate func entry(for source: WeightSource) -> Self? {
        guard !source.isTransposed || shape.rank == 2 else { return nil }
        guard let part = source.part else {
            return Self(
                offset: offset, shape: shape, dataType: dataType, path: path, name: name,
                isTransposed: source.isTransposed)
        }
        guard part.count > 0, (0..<part.count).contains(part.index), let rows = shape.dimensions.first,
            rows % part.count == 0
        else { return nil }
        let partShape = Shape([rows / part.count] + shape.dimensions.dropFirst())
        return Self(
            offset: offset + part.index * partShape.elementCount * dataType.byteCount, shape: partShape,
            dataType: dataType, path: path, name: "\(name), part \(part.index + 1) of \(part.count)",
            isTransposed: source.isTransposed)
    }

    /// Whether this is a weight of the given shape.
    func has(_ expected: Shape) -> Bool {
        let found = isTransposed ? Array(shape.dimensions.reversed()) : shape.dimensions
        guard ignoresTrailingOnes, !isTransposed else { return found == expected.dimensions }
        func trimmed(_ dimensions: [Int]) -> ArraySlice<Int> {
            dimensions[..<((dimensions.lastIndex { $0 != 1 } ?? -1) + 1)]
        }
        return trimmed(found) == trimmed(expected.dimensions)
    }
}
