extension ModelTraits {
    /// Refuses what a request asks of a model that cannot have it.
    ///
    /// - Throws: `RequestError` that names the property.
    func check(_ request: PaintRequest) throws(RequestError) {
        // The standard bridges are those that the model can have.
        if request.bridges.contains(.attention), request.bridges != BridgeKind.standard, summary == nil {
            throw RequestError("bridges", found: "attention", expected: "a model with cross-spatial attention")
        }
        if request.bridges.contains(.dilated), seesCoarser {
            throw RequestError(
                "bridges", found: "dilated", expected: "none of it for \(name), whose tiles see the coarser picture")
        }
        if !readsPrompts {
            let regions = (request.regions ?? []).count + (request.map?.contents.count ?? 0)
            guard regions == 0, request.negativePrompt.isEmpty else {
                throw RequestError(
                    regions > 0 ? "regions" : "negative prompt", found: regions > 0 ? "\(regions)" : "one",
                    expected: "none for \(name), which reads no prompts")
            }
        }
        if !canGuide, let guidance = request.guidance, guidance != 1 {
            throw RequestError(
                "guidance", found: "\(guidance)", expected: "1 for \(name), which has nothing to lead away from")
        }
        try checkTile(request)
        let told = request.conditions ?? [:]
        for condition in conditions { try condition.check(told[condition.name]) }
        let known = conditions.map(\.name)
        if let unknown = told.keys.sorted().first(where: { !known.contains($0) }) {
            throw RequestError(
                "condition \(unknown)", found: "a condition that \(name) does not have",
                expected: known.isEmpty ? "none" : known.joined(separator: ", "))
        }
    }

    private func checkTile(_ request: PaintRequest) throws(RequestError) {
        guard fixesTile else { return }
        let side = tile * pixelsPerCell
        if let asked = request.tile, asked != side {
            throw RequestError("tile", found: "\(asked)", expected: "\(side), the only size that \(name) takes")
        }
        // Its windows are made longer than a tile, so that they can move.
        if request.bridges.contains(.shift) {
            throw RequestError(
                "bridges", found: "shift", expected: "another for \(name), whose tiles have one size only")
        }
    }
}
