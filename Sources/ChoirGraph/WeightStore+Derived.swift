import Glibc
import Synchronization

extension WeightStore {
    /// The part of a store that weights lie in which are computed from others.
    struct DerivedArea {
        /// Where the next one goes.
        var end: Int
        /// Where each lies, by what it is.
        var offsets: [DerivedKey: Int] = [:]
        /// Those that have a place but are not computed yet.
        var pending: [DerivedWeight] = []
        /// Those whose pages the system can take back, because a file holds them.
        var files: [Range<Int>] = []

        init(offset: Int) { end = offset }
    }

    /// What is computed from which weight.
    struct DerivedKey: Hashable {
        let form: String
        let source: Int
        let byteCount: Int
    }

    /// A weight that is computed when an engine is to read it.
    struct DerivedWeight: Sendable {
        let offset: Int
        let byteCount: Int
        /// Gets the store's first byte and where the result goes; must not use the store otherwise.
        let compute: @Sendable (UnsafeRawPointer, UnsafeMutableRawPointer) -> Void
    }

    /// Gives weights that are computed from a weight a place, once, and returns its offset.
    ///
    /// - Parameters:
    ///   - form: What is computed, in words.
    ///   - source: The offset of the weight.
    ///   - byteCount: The bytes of what is computed; later calls with the same form, source and count return the same.
    ///   - compute: Gets the store's first byte and where the result goes; must not use the store otherwise.
    func derive(
        _ form: String, from source: Int, byteCount: Int,
        _ compute: @escaping @Sendable (UnsafeRawPointer, UnsafeMutableRawPointer) -> Void
    ) -> Int {
        derived.withLock { area in
            let key = DerivedKey(form: form, source: source, byteCount: byteCount)
            if let known = area.offsets[key] { return known }
            let offset = area.end
            area.end = Self.pages(offset + byteCount)
            precondition(area.end <= reservedByteCount, "weights are derived from what is not a weight of this store")
            area.pending.append(DerivedWeight(offset: offset, byteCount: byteCount, compute: compute))
            area.offsets[key] = offset
            return offset
        }
    }

    /// Computes those of the derived weights at some offsets that have only a place yet; before, nobody may read them.
    ///
    /// They lie in nameless files, so that like a checkpoint's own they need memory only while an engine reads them; in
    /// memory where no such file can be made.
    ///
    /// - Parameters:
    ///   - offsets: Where the weights of a graph begin.
    ///   - directory: Where the files are made; nil or where none can be made, the temporary directory, which on some
    ///     systems is memory itself.
    func computeDerivedWeights(at offsets: Set<Int>, in directory: String?) throws(GraphError) {
        let failure: GraphError? = derived.withLock { area in
            while let index = area.pending.firstIndex(where: { offsets.contains($0.offset) }) {
                let weight = area.pending[index]
                let address = base + weight.offset
                let end = Self.pages(weight.offset + weight.byteCount)
                guard mprotect(address, end - weight.offset, PROT_READ | PROT_WRITE) == 0 else {
                    let reason = "cannot use \(weight.byteCount) bytes of memory: \(systemMessage())"
                    return GraphError(.storage, "weights", reason)
                }
                weight.compute(UnsafeRawPointer(base), address)
                if Self.moveToFile(address, weight.byteCount, in: directory) { area.files.append(weight.offset..<end) }
                area.pending.remove(at: index)
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// Writes memory to a new file without a name and maps that in its place; false, and nothing changed, where there is
    /// no room for one.
    ///
    /// Written, not mapped from the start: for each page of a mapped file that is written to, the system stops.
    private static func moveToFile(
        _ address: UnsafeMutableRawPointer, _ byteCount: Int, in directory: String?
    ) -> Bool {
        guard let descriptor = directory.flatMap(namelessFile) ?? namelessFile(in: temporaryDirectory) else {
            return false
        }
        defer { close(descriptor) }
        var written = 0
        while written < byteCount {
            let count = write(descriptor, address + written, byteCount - written)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            written += count
        }
        return mmap(address, byteCount, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, 0) == address
    }

    /// Where libvips has its temporary files too. An empty `TMPDIR` is none, and not the root.
    private static var temporaryDirectory: String {
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        return directory.isEmpty ? "/tmp" : directory
    }

    /// A new file for this user alone that vanishes when it is closed.
    ///
    /// C's `tmpfile` does not let the directory be chosen, and Swift does not see `O_TMPFILE`.
    private static func namelessFile(in directory: String) -> Int32? {
        let path = "\(directory)/choir-weights-\(UInt64.random(in: 0...UInt64.max))"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        unlink(path)
        return descriptor
    }
}
