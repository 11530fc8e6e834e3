import ChoirTensor
import Foundation

/// What the pictures of a set exchange in each step: the constraints of Tiled Diffusion (Madar and Fried, CVPR 2025,
/// sections 3.2 and 3.3), on pictures that each have a padding around them.
///
/// In evaluation k, with s_n the n-th of a list of sides:
///
///     tiling       padding beyond a      <-  what lies inside of s_(k mod n), for s of the sides that a must fit
///     similarity   x̂_0(a, d)             <-  (1 - w(d)) x̂_0(a, d) + w(d) x̂_0(s_(k mod n), d),
///                                            for all a of the sides that must be alike, d cells from the edge
///
/// Tiling copies what the step before left (a Jacobi iteration), turned where sides of different axes join; then every
/// picture is denoised alone. First left and right paddings are filled, then those above and below, through the corners:
/// where four pictures meet, a picture sees what its neighbour sees beyond it. The two sides with the same k have seen
/// each other, and the similarity of that evaluation copies just these.
///
/// The paper copies a strip of the noisy picture as it is, which ends in a step. Here strips have the same noise, and the
/// weight w of the source in what is predicted falls from 1 at the edge to 0 at the strip's inner end: the samplers' states
/// are sums of both, so they fade as the predictions do, and the deviation of their noise stays what it must be.
///
/// Limits, as the paper has them. A turned strip is a picture's cells turned, and a model that was trained on upright
/// pictures takes light from above for what it is: joins of different axes show more than others. What is copied comes
/// from one candidate at a time, so sets of many pictures need more steps than a picture that joins itself.
struct SideExchange {
    let joins: TileJoins
    let frame: TileFrame

    /// Cells of the strips that are alike.
    let strip: Int

    /// Gives strips that will be alike the same noise, that of the first side.
    func shareNoise(_ noises: inout [Tensor]) {
        blendStrips(&noises, from: 0) { _ in 1 }
    }

    /// Makes what is predicted of strips alike, most at the edge.
    func makeAlike(_ predictions: inout [Tensor], evaluation: Int) {
        blendStrips(&predictions, from: evaluation) { distance in
            let cosine = cos((Double(distance) + 0.5) / Double(2 * strip) * .pi)
            return Float(cosine * cosine)
        }
    }

    /// - Parameters:
    ///   - turn: Whose turn it is to be copied.
    ///   - share: How much is copied, for the distance of a cell to the edge.
    private func blendStrips(_ pictures: inout [Tensor], from turn: Int, share: (Int) -> Float) {
        let before = pictures
        for sides in joins.alike {
            let source = sides[turn % sides.count]
            for target in sides where target != source {
                for distance in 0..<strip {
                    let lines = frame.strip(source.side, from: distance, depth: 1, along: false)
                    let line = before[source.image].copy(region: lines).turned(by: source.side.turns(to: target.side))
                    let place = frame.strip(target.side, from: distance, depth: 1, along: false)
                    let own = pictures[target.image].copy(region: place)
                    pictures[target.image].write(own.lerp(to: line, fraction: share(distance)), x: place.x, y: place.y)
                }
            }
        }
    }

    /// Fills the padding beyond each side with what lies inside of one that it must fit.
    func fillPaddings(_ states: inout [Tensor], evaluation: Int) {
        for alongX in [true, false] {
            let before = states
            for partners in joins.partners where partners.side.side.isAlongX == alongX {
                let target = partners.side
                let source = partners.others[evaluation % partners.others.count]
                let depth = frame.padding(of: target.side)
                // Where the two touch, the source has the side that lies across from the target's.
                let turns = source.side.turns(to: target.side.opposite)
                let inside = frame.strip(source.side, from: 0, depth: depth, along: !alongX)
                let place = frame.strip(target.side, from: -depth, depth: depth, along: !alongX)
                let cells = before[source.image].copy(region: inside).turned(by: turns)
                states[target.image].write(cells, x: place.x, y: place.y)
            }
        }
    }
}
