internal import CVips
import Synchronization

/// Keeps libvips's output targets alive while a pyramidal TIFF is saved.
///
/// When such a save fails (full disk, cancelled input), libvips 8.14.1 drops its last reference to a smaller level's
/// target and lets libtiff flush into it afterwards, which ends the process. GObject announces every object that
/// libvips builds, so that a reference of our own can outlast the save.
enum TargetKeeper {
    private struct State {
        var saves = 0
        /// Addresses of kept objects, one reference each.
        var kept: [UInt] = []
    }

    private static let state = Mutex(State())

    private static let isInstalled: Bool = {
        // The signal exists once the class does.
        g_type_class_ref(vips_target_get_type())
        let signal = g_signal_lookup("postbuild", vips_object_get_type())
        guard signal != 0 else { return false }
        g_signal_add_emission_hook(
            signal,
            0,
            { _, _, values, _ in
                // The levels' targets have no name, and worker threads make them, so which save one belongs to is not
                // known. Named ones are left alone: keeping one would keep a replaced file's disk space.
                if let values, let object = g_value_get_object(values), cvips_is_unnamed_target(object) != 0 {
                    TargetKeeper.keep(object)
                }
                return 1
            },
            nil,
            nil
        )
        return true
    }()

    /// Runs a save; the targets are dropped when no other such save is under way.
    static func during<Failure: Error>(_ save: () throws(Failure) -> Void) throws(Failure) {
        precondition(isInstalled, "libvips objects announce that they are built")
        state.withLock { $0.saves += 1 }
        defer {
            let dropped = state.withLock { state in
                state.saves -= 1
                guard state.saves == 0 else { return [UInt]() }
                defer { state.kept = [] }
                return state.kept
            }
            for address in dropped { g_object_unref(UnsafeMutableRawPointer(bitPattern: address)) }
        }
        try save()
    }

    /// Drops an unnamed target that was kept although it belongs to no TIFF.
    static func forget(_ target: UnsafeMutablePointer<VipsTarget>) {
        let wasKept = state.withLock { state in
            guard let index = state.kept.firstIndex(of: UInt(bitPattern: target)) else { return false }
            state.kept.remove(at: index)
            return true
        }
        if wasKept { g_object_unref(target) }
    }

    private static func keep(_ object: UnsafeMutableRawPointer) {
        state.withLock { state in
            guard state.saves > 0 else { return }
            g_object_ref(object)
            state.kept.append(UInt(bitPattern: object))
        }
    }
}
