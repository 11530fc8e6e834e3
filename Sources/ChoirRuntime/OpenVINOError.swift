internal import COpenVINO

/// What OpenVINO, or the check before it was called, refused.
public struct OpenVINOError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public enum Code: Hashable, Sendable {
        /// The device is not there or cannot do what was asked of it.
        case device
        /// An option outside its range.
        case option
        /// An input or output that the model does not have, or data that does not fit it.
        case port
        /// A function of the engine failed.
        case engine
    }

    /// The kind of failure.
    public let code: Code

    /// What was tried, such as `compile unet for CPU`.
    public let operation: String

    /// What was expected and found, or the engine's own message.
    public let message: String

    /// The operation and the message.
    public var description: String { "\(operation): \(message)" }

    init(_ code: Code, _ operation: String, _ message: String) {
        self.code = code
        self.operation = operation
        self.message = message
    }
}

/// Calls one C function and throws unless it succeeds.
///
/// - Parameters:
///   - function: The name of the C function.
///   - subject: What it works on, in words.
///   - call: The call.
func check(
    _ function: String,
    _ subject: String = "",
    _ call: () -> ov_status_e
) throws(OpenVINOError) {
    let status = call()
    guard status != OK else { return }
    // The engine keeps one last message for the whole process, so with failures in two threads at once it may be the
    // other one's; the status is always ours. The text is a copy that the caller frees.
    let text = ov_get_last_err_msg()
    defer { ov_free(text) }
    let meaning = ov_get_error_info(status).map { String(cString: $0) } ?? "status \(status.rawValue)"
    let detail = text.map { String(cString: $0) } ?? ""
    throw OpenVINOError(
        .engine,
        subject.isEmpty ? function : "\(subject) (\(function))",
        detail.isEmpty ? meaning : "\(meaning): \(detail)"
    )
}

/// Calls a C function that gives a handle, and checks that it did.
func checkedHandle(
    _ function: String,
    _ subject: String = "",
    _ call: (inout OpaquePointer?) -> ov_status_e
) throws(OpenVINOError) -> OpaquePointer {
    var handle: OpaquePointer?
    try check(function, subject) { call(&handle) }
    guard let handle else {
        throw OpenVINOError(.engine, subject.isEmpty ? function : "\(subject) (\(function))", "gave no handle")
    }
    return handle
}
