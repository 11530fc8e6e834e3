import ChoirGraph
import Glibc

/// A directory of compiled models, one sub-directory for each graph, set of options and set of weights.
///
/// OpenVINO writes a cache file in place, so a process that is killed meanwhile, or a second one that reads, would meet
/// half a file. So the engine gets a private directory, which is renamed when the compilation has succeeded: what has
/// its final name is whole.
struct CompiledModelCache {
    let directory: String

    /// How many bytes the entries have at most; a new one removes those that were not used for the longest time.
    let byteLimit: Int

    /// A place for one compiled model.
    struct Slot {
        /// The directory to name to the engine.
        let engineDirectory: String
        /// Where it moves after a success, or nil when the model is there already.
        fileprivate let finalDirectory: String?
        fileprivate let cache: CompiledModelCache

        /// Whether the model is there.
        var isFilled: Bool { finalDirectory == nil }

        /// The files that the engine has in it.
        var fileNames: [String] { CompiledModelCache.names(in: engineDirectory) }

        /// Puts one file in the place of another.
        func replace(_ name: String, by other: String) -> Bool {
            rename("\(engineDirectory)/\(other)", "\(engineDirectory)/\(name)") == 0
        }

        /// Makes a new entry visible to others, and room for it.
        func commit() {
            guard let finalDirectory else { return }
            // Fails when another process was first; its entry is as good.
            if rename(engineDirectory, finalDirectory) != 0 { CompiledModelCache.remove(engineDirectory) }
            cache.trim()
        }

        /// Removes an entry that could not be used.
        func discard() { CompiledModelCache.remove(engineDirectory) }
    }

    /// The place for a model, or nil when the directory cannot be made.
    ///
    /// - Parameters:
    ///   - parts: All texts that the compiled model depends on.
    ///   - weights: The weights it depends on.
    func slot(for parts: [String], weights: WeightStore) -> Slot? {
        guard makeDirectories() else { return nil }
        var hash = FNV1a()
        for part in parts + [weights.identity] {
            hash.combine(part.utf8)
            hash.combine(CollectionOfOne(0xFF))
        }
        let key = String(hash.value, radix: 16)
        let final = "\(directory)/\(key)"
        if access(final, R_OK | X_OK) == 0 {
            // Now, so that it is among the last to go.
            utimes(final, nil)
            return Slot(engineDirectory: final, finalDirectory: nil, cache: self)
        }
        removeAbandoned(key: key)
        var template = Array("\(final).XXXXXX".utf8CString)
        guard template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }) != nil else {
            return nil
        }
        let partial = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return Slot(engineDirectory: partial, finalDirectory: final, cache: self)
    }

    private func makeDirectories() -> Bool {
        var path = ""
        for component in directory.split(separator: "/") {
            path += (path.isEmpty && !directory.hasPrefix("/") ? "" : "/") + component
            guard mkdir(path, 0o755) == 0 || errno == EEXIST else { return false }
        }
        return access(directory, W_OK | X_OK) == 0
    }

    /// Removes what processes that were killed while they compiled this model have left, an hour later.
    private func removeAbandoned(key: String) {
        for name in Self.names(in: directory) where name.hasPrefix("\(key).") {
            var status = stat()
            let path = "\(directory)/\(name)"
            if stat(path, &status) == 0, time(nil) - status.st_mtim.tv_sec > 3600 { Self.remove(path) }
        }
    }

    /// Removes whole entries while all are more than the limit, but not the one that was used last. A process that has
    /// loaded one keeps it.
    private func trim() {
        var entries: [(path: String, bytes: Int, used: (Int, Int))] = []
        for name in Self.names(in: directory) where !name.contains(".") {
            var status = stat()
            let path = "\(directory)/\(name)"
            guard stat(path, &status) == 0 else { continue }
            let used = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
            let bytes = Self.names(in: path).reduce(0) { sum, file in
                stat("\(path)/\(file)", &status) == 0 ? sum + status.st_size : sum
            }
            entries.append((path, bytes, used))
        }
        var total = entries.reduce(0) { $0 + $1.bytes }
        for entry in entries.sorted(by: { $0.used < $1.used }).dropLast() where total > byteLimit {
            Self.remove(entry.path)
            total -= entry.bytes
        }
    }

    private static func remove(_ directory: String) {
        for name in names(in: directory) { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
