import Glibc
import Synchronization

extension WeightStore {
    /// The part of a store that weights lie in which were computed from others.
    struct DerivedArea {
        /// Where the next one goes.
        var end: Int
        /// Where each lies, by where what it was computed from begins and by its own length.
        var offsets: [Range<Int>: Int] = [:]
        /// Those whose pages the system can take back, because a file holds them.
        var files: [Range<Int>] = []

        init(offset: Int) { end = offset }
    }

    /// Computes weights from a weight once, and returns their offset.
    ///
    /// They lie in a nameless file of the temporary directory, so that like a checkpoint's own they need memory only
    /// while an engine reads them; in memory where no such file can be made.
    ///
    /// - Parameters:
    ///   - source: The offset of the weight.
    ///   - byteCount: The bytes of what is computed; later calls with the same source and count return the same.
    ///   - compute: Gets the store's first byte and where the result goes; must not use the store otherwise.
    func derive(
        from source: Int, byteCount: Int, _ compute: (UnsafeRawPointer, UnsafeMutableRawPointer) -> Void
    ) throws(GraphError) -> Int {
        let derived: Result<Int, GraphError> = derived.withLock { area in
            let key = source..<(source + byteCount)
            if let known = area.offsets[key] { return .success(known) }
            let pageSize = sysconf(Int32(_SC_PAGESIZE))
            let offset = area.end
            let end = (offset + byteCount + pageSize - 1) / pageSize * pageSize
            precondition(end <= reservedByteCount, "weights are derived from what is not a weight of this store")
            let address = base + offset
            guard mprotect(address, end - offset, PROT_READ | PROT_WRITE) == 0 else {
                return .failure(
                    GraphError(.storage, "weights", "cannot use \(byteCount) bytes of memory: \(systemMessage())"))
            }
            compute(UnsafeRawPointer(base), address)
            if Self.moveToFile(address, byteCount) { area.files.append(offset..<end) }
            area.end = end
            area.offsets[key] = offset
            return .success(offset)
        }
        return try derived.get()
    }

    /// Writes memory to a new file without a name and maps that in its place; false, and nothing changed, where there is
    /// no room for one.
    ///
    /// Written, not mapped from the start: for each page of a mapped file that is written to, the system stops.
    private static func moveToFile(_ address: UnsafeMutableRawPointer, _ byteCount: Int) -> Bool {
        guard let descriptor = namelessFile() else { return false }
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

    /// A new file for this user alone that vanishes when it is closed, in the directory where libvips has its temporary
    /// files too.
    ///
    /// The corresponding C function is `mkstemp`; `tmpfile` does not ask for `TMPDIR`, and Swift does not see `O_TMPFILE`.
    private static func namelessFile() -> Int32? {
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        // An empty TMPDIR is none, and not the root. A variable, because `mkstemp` replaces the last six characters by others
        // that make the name a new one.
        var template = Array("\(directory.isEmpty ? "/tmp" : directory)/choir-weights-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { return nil }
        unlink(template)
        return descriptor
    }
}
