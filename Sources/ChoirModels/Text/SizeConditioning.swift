/// What SDXL is told of a picture's size and crop (Podell et al. 2023, "SDXL", section 2.2), in pixels.
///
/// A tile is a crop: telling each tile where it lies makes fewer tiles a picture of their own.
public struct SizeConditioning: Hashable, Sendable {
    /// The size of the picture before it was cropped.
    public var originalHeight: Int
    /// The size of the picture before it was cropped.
    public var originalWidth: Int
    /// How many pixels are cut off at the top.
    public var cropTop: Int
    /// How many pixels are cut off at the left.
    public var cropLeft: Int
    /// The size of what is painted.
    public var targetHeight: Int
    /// The size of what is painted.
    public var targetWidth: Int
    /// What people would say of the picture, 0 ... 10; told to the refiner in place of the target's size.
    public var aestheticScore: Double

    /// The score of a prompt, as diffusers has it.
    public static let aestheticScore = 6.0
    /// The score of a negative prompt, as diffusers has it.
    public static let negativeAestheticScore = 2.5

    /// A picture that is whole: what diffusers tells without other wishes.
    public init(height: Int, width: Int, aestheticScore: Double = Self.aestheticScore) {
        originalHeight = height
        originalWidth = width
        cropTop = 0
        cropLeft = 0
        targetHeight = height
        targetWidth = width
        self.aestheticScore = aestheticScore
    }

    /// A tile of a canvas: the canvas is the original, the tile's place the crop and its size the target.
    ///
    /// - Parameters:
    ///   - height: The tile's height in pixels.
    ///   - width: The tile's width in pixels.
    ///   - top: Where it starts on the canvas, in pixels.
    ///   - left: Where it starts on the canvas, in pixels.
    ///   - canvasHeight: The canvas' height in pixels.
    ///   - canvasWidth: The canvas' width in pixels.
    ///   - aestheticScore: See the property.
    public init(
        tileHeight height: Int, width: Int, top: Int, left: Int, canvasHeight: Int, canvasWidth: Int,
        aestheticScore: Double = Self.aestheticScore
    ) {
        self.init(height: height, width: width, aestheticScore: aestheticScore)
        originalHeight = canvasHeight
        originalWidth = canvasWidth
        cropTop = top
        cropLeft = left
    }

    /// The numbers in the order that the UNet takes them (diffusers' `time_ids`): six, or five with the score.
    ///
    /// - Parameter usesAestheticScore: Whether the model is the refiner (`requires_aesthetics_score`).
    public func timeIDs(usesAestheticScore: Bool) -> [Double] {
        let place = [originalHeight, originalWidth, cropTop, cropLeft].map(Double.init)
        return place + (usesAestheticScore ? [aestheticScore] : [Double(targetHeight), Double(targetWidth)])
    }
}
