/// The type of one element of a graph value.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
    /// 32-bit IEEE 754 number; the type that every computing layer works in.
    case f32
    /// 16-bit IEEE 754 number; stored weights only.
    case f16
    /// The upper half of an f32; stored weights only.
    case bf16
    /// 32-bit signed integer.
    case i32
    /// 64-bit signed integer.
    case i64
    /// One byte, 0 or 1.
    case boolean

    /// The size of one element in bytes.
    public var byteCount: Int {
        switch self {
        case .boolean: 1
        case .f16, .bf16: 2
        case .f32, .i32: 4
        case .i64: 8
        }
    }

    /// Whether this is one of the integer types that indices may have.
    var isInteger: Bool { self == .i32 || self == .i64 }

    /// The spelling in the `precision` attribute of a port in the intermediate representation.
    var portPrecision: String {
        switch self {
        case .f32: "FP32"
        case .f16: "FP16"
        case .bf16: "BF16"
        case .i32: "I32"
        case .i64: "I64"
        case .boolean: "BOOL"
        }
    }
}
