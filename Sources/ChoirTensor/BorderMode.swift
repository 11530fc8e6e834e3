/// What lies beyond the edges of a canvas.
public enum BorderMode: Hashable, Sendable {
    /// Nothing: cells outside read as zero, and what is written to them is dropped.
    case zero

    /// The canvas again, on the axes that wrap; on the other axis as ``zero``.
    ///
    /// `x: true` joins the right edge to the left one (panoramas), `y: true` the bottom to the top; both make a torus.
    case wrap(x: Bool, y: Bool)

    var wrapsX: Bool {
        if case .wrap(x: true, y: _) = self { true } else { false }
    }

    var wrapsY: Bool {
        if case .wrap(x: _, y: true) = self { true } else { false }
    }
}
