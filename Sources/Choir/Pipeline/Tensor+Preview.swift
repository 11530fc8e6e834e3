import ChoirTensor

extension Tensor {
    /// A canvas reduced by whole factors until its longer side is at most `side`.
    func reduced(toFit side: Int) -> Tensor {
        let factor = (max(width, height) + side - 1) / side
        guard factor > 1 else { return self }
        // The last rows and columns that do not fill a block are left out.
        let region = Region(x: 0, y: 0, width: width / factor * factor, height: height / factor * factor)
        return copy(region: region).averagePooled(by: factor)
    }
}
