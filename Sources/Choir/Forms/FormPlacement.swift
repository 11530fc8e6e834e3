import ChoirTensor

/// The objects of a canvas, none over another, each where all around is told the same.
struct FormPlacement {
    /// An object in its place.
    struct Object {
        let candidate: FormCandidate

        /// The index of what is told there.
        let content: Int

        /// The index of its kind.
        let kind: Int

        /// The side of its square, in cells.
        let size: Double

        /// Within which it lies.
        var radius: Double { 0.45 * size }
    }

    private(set) var objects: [Object] = []

    private let plane: FormPlane
    private let weights: [[Float]]
    private let shares: [[Double]?]
    private let kinds: [LearnedForms.Kind]

    /// Cells that are told each content.
    private let areas: [Double]

    /// How far apart the middles of two objects are at least, over both radii; and where an object's content must be told, in
    /// all directions, over its radius.
    private static let (apart, told) = (1.1, 0.8)

    /// The objects of a request: a part that is given another seed afterwards has others, and the rest keeps its own.
    ///
    /// - Parameters:
    ///   - plane: The canvas.
    ///   - weights: For each content, how much of what a cell of the plane is told it is, row by row.
    ///   - shares: For each content, how likely an object is of each kind; nil where it has no form.
    init(
        _ request: PaintRequest, on plane: FormPlane, weights: [[Float]], shares: [[Double]?],
        kinds: [LearnedForms.Kind]
    ) {
        self.plane = plane
        self.weights = weights
        self.shares = shares
        self.kinds = kinds
        areas = weights.map { weights in Double(weights.count { $0 >= 0.5 }) }
        var before = request
        before.reseeds = nil
        let own = FormCandidate.all(of: before, on: plane)
        place(own)
        guard request.reseeds != nil else { return }
        let changed = zip(own, FormCandidate.all(of: request, on: plane)).filter { $0 != $1 }
        let gone = changed.map(\.0)
        objects.removeAll { gone.contains($0.candidate) }
        place(changed.map(\.1))
    }

    /// Places those of the candidates that can be, the largest first.
    private mutating func place(_ candidates: [FormCandidate]) {
        var covered = areas.map { _ in 0.0 }
        for object in objects { covered[object.content] += .pi * object.radius * object.radius }
        let possible = candidates.compactMap { candidate -> Object? in
            let cell = plane.cell(candidate.x, candidate.y)
            guard let content = weights.indices.first(where: { weights[$0][cell] >= 0.5 }), let shares = shares[content]
            else { return nil }
            let kind = candidate.kind(of: shares)
            return Object(candidate: candidate, content: content, kind: kind, size: candidate.size(kinds[kind]))
        }.enumerated().sorted { ($1.element.size, $0.offset) < ($0.element.size, $1.offset) }.map(\.element)
        for object in possible {
            // The more is covered, the smaller are those that follow: else all would be as large as can be.
            let kind = kinds[object.kind]
            let left = 1 - covered[object.content] / (kind.filled * areas[object.content])
            guard object.size <= kind.sizes.upperBound * max(0, left).squareRoot(), hasRoom(object) else { continue }
            objects.append(object)
            covered[object.content] += .pi * object.radius * object.radius
        }
    }

    /// Whether an object lies in the picture, apart from those before it, and all around is told the same.
    private func hasRoom(_ object: Object) -> Bool {
        let (x, y) = (object.candidate.x, object.candidate.y)
        guard plane.holds(x, y, radius: object.radius) else { return false }
        let isApart = objects.allSatisfy { other in
            let distance = Self.apart * (object.radius + other.radius)
            let (dx, dy) = plane.offset(fromX: other.candidate.x, y: other.candidate.y, toX: x, y: y)
            return dx * dx + dy * dy >= distance * distance
        }
        let around = Self.told * object.radius
        let directions = [(1.0, 0.0), (0.7, 0.7), (0, 1), (-0.7, 0.7), (-1, 0), (-0.7, -0.7), (0, -1), (0.7, -0.7)]
        return isApart
            && directions.allSatisfy { weights[object.content][plane.cell(x + $0 * around, y + $1 * around)] >= 0.5 }
    }
}
