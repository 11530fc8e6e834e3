internal import COpenVINO
import Synchronization

/// The native half of an ``InferenceRequest``: the handle, the callback that OpenVINO calls, and who waits for it.
///
/// Cancelling comes from any thread, so this half is `Sendable`: `start`, `cancel` and `wait` of a request lock inside
/// OpenVINO, and the rest is behind the mutex.
final class RequestHandle: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Void, Never>?
        var finish: ContinuousClock.Instant?
        var isStarted = false
        var isCancelled = false
    }

    nonisolated(unsafe) let pointer: OpaquePointer

    // OpenVINO keeps the address of this struct and does not copy it, so it must live as long as the request.
    private nonisolated(unsafe) let callback: UnsafeMutablePointer<ov_callback_t>

    private let state = Mutex(State())
    private let subject: String

    // Released after the request, which may refer to the model's weights.
    private let model: CompiledModel

    /// Takes ownership (+1) of the request.
    init(adopting pointer: OpaquePointer, model: CompiledModel) throws(OpenVINOError) {
        self.pointer = pointer
        self.model = model
        subject = "run \(model.name)"
        callback = .allocate(capacity: 1)
        callback.initialize(
            to: ov_callback_t(
                callback_func: { argument in
                    guard let argument else { return }
                    Unmanaged<RequestHandle>.fromOpaque(argument).takeUnretainedValue().finished()
                },
                // Not retained, since that would be a cycle: freeing the request waits for a callback under way.
                args: Unmanaged.passUnretained(self).toOpaque()
            )
        )
        try check("ov_infer_request_set_callback", subject) { ov_infer_request_set_callback(pointer, callback) }
    }

    deinit {
        ov_infer_request_free(pointer)
        callback.deallocate()
    }

    /// Runs the request and returns the time from the start to the callback.
    ///
    /// Throws `CancellationError` when the task was cancelled before the request was done.
    nonisolated(nonsending) func run() async throws -> Duration {
        state.withLock { $0 = State() }
        let start = ContinuousClock.now
        try await withTaskCancellationHandler {
            var failure: OpenVINOError?
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                state.withLock { $0.continuation = continuation }
                do throws(OpenVINOError) {
                    try check("ov_infer_request_start_async", subject) { ov_infer_request_start_async(pointer) }
                } catch {
                    failure = error
                    finished()
                    return
                }
                // A cancellation that came before the start found nothing to stop.
                let isCancelled = state.withLock { state in
                    state.isStarted = true
                    return state.isCancelled
                }
                if isCancelled { ov_infer_request_cancel(pointer) }
            }
            if let failure { throw failure }
        } onCancel: {
            let isStarted = state.withLock { state in
                state.isCancelled = true
                return state.isStarted
            }
            if isStarted { ov_infer_request_cancel(pointer) }
        }
        // The callback was called, so this does not wait; it fetches the status.
        let status = ov_infer_request_wait(pointer)
        if status == INFER_CANCELLED { throw CancellationError() }
        try check("ov_infer_request_wait", subject) { status }
        let finish = state.withLock { $0.finish }
        return start.duration(to: finish ?? ContinuousClock.now)
    }

    private func finished() {
        let now = ContinuousClock.now
        let continuation = state.withLock { state in
            state.finish = now
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume()
    }
}
