/// The version of this package.
public enum ChoirVersion {
    /// As metadata and `choir --version` state it.
    public static let current = "0.1.0"
}
