import Choir
import ChoirModels
import ChoirTensor

extension LearnedForms {
    /// Those of a Cosmos model.
    ///
    /// - Parameters:
    ///   - described: What `config.json` says of them.
    ///   - text: The width of the text's vector.
    ///   - path: A file as `Training/forms.py` writes it.
    /// - Throws: `ModelError` or `SafetensorsError` that names the file and what is wrong.
    init(_ described: CosmosForms, text: Int, path: String) throws {
        let file = try SafetensorsFile(path: path)
        let tensor = { (name: String, isExpected: (Shape) -> Bool, expected: String) in
            let shape = try file.entry(name).shape
            guard isExpected(shape) else {
                throw ModelError(path, "\(name): found shape \(shape), expected \(expected)")
            }
            return try file.floats(name)
        }
        let layer = { (name: String, inputs: Int, outputs: Int?) in
            let weight = try tensor(
                "\(name).weight",
                { $0.rank == 2 && $0[1] == inputs && ((outputs ?? 1)...(outputs ?? 4096)).contains($0[0]) },
                "[\(outputs.map(String.init) ?? "1 to 4096"), \(inputs)]")
            return DenseLayer(
                weight: weight, bias: try tensor("\(name).bias", { $0 == [weight.height] }, "[\(weight.height)]"))
        }
        let codes = try tensor(
            "codes", { $0.rank == 2 && (1...4096).contains($0[0]) && (1...4096).contains($0[1]) }, "[pictures, code]")
        let (pictures, code) = (codes.height, codes.width)
        let members = try tensor(
            "members", { $0 == [described.kinds.count, pictures] }, "[\(described.kinds.count), \(pictures)]")
        let kinds = try described.kinds.enumerated().map { index, kind in
            let own = (0..<pictures).filter { members[index, $0] > 0.5 }
            guard !own.isEmpty else {
                throw ModelError(path, "members: found none for \(kind.name), expected a picture of each kind")
            }
            return Kind(
                name: kind.name, sizes: kind.least...kind.greatest, filled: kind.filled,
                codes: own.map { picture in (0..<code).map { codes[picture, $0] } })
        }
        let channels = 3
        let first = try layer("first", code + text, nil)
        let second = try layer("second", first.outputs, nil)
        let basis = try layer("basis", second.outputs, nil)
        let picture = try layer("picture", basis.outputs, channels * described.side * described.side)
        self.init(
            kinds: kinds, until: described.until, side: described.side, channels: channels,
            decoder: [first, second, basis, picture], likelihoods: try layer("chances", text, kinds.count + 1))
    }
}
