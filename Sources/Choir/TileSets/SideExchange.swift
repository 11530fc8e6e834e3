import ChoirTensor
import Foundation

/// What the pictures of a set exchange before each step: the constraints of Tiled Diffusion (Madar and Fried, CVPR 2025,
/// sections 3.2 and 3.3), on pictures that each have a padding around them.
///
/// In evaluation k, with s_n the n-th of a list of sides:
///
///     similarity   strip just inside of a  <-  the same strip of s_(k mod n),  for all a of the sides that must be alike
///     tiling       padding beyond a        <-  what lies inside of s_(k mod n), for s of the sides that a must fit
///
/// Both copy what the step before left (a Jacobi iteration), turned where sides of different axes join; nothing is
/// averaged. Every picture is then denoised alone. First left and right paddings are filled, then those above and below,
/// through the corners: where four pictures meet, a picture sees what its neighbour sees beyond it.
///
/// Limits, as the paper has them. A turned strip is a picture's cells turned, and a model that was trained on upright
/// pictures takes light from above for what it is: joins of different axes show more than others. What is copied comes
/// from one candidate at a time, so sets of many pictures need more steps than a picture that joins itself.
struct SideExchange {
    let joins: TileJoins
    let frame: TileFrame

    /// Cells of the strips that are alike.
    let strip: Int

    /// Makes strips alike and fills paddings.
    func exchange(_ states: inout [Tensor], evaluation: Int) {
        makeAlike(&states, evaluation: evaluation) { _ in 1 }
        fillPaddings(&states, evaluation: evaluation)
    }

    /// As `exchange`, for clean pictures: there a strip fades into the picture that it is copied to.
    func finish(_ states: inout [Tensor], evaluation: Int) {
        makeAlike(&states, evaluation: evaluation) { distance in
            let cosine = cos((Double(distance) + 0.5) / Double(2 * strip) * .pi)
            return Float(cosine * cosine)
        }
        fillPaddings(&states, evaluation: evaluation)
    }

    /// - Parameter share: How much of the strip is copied, for the distance of a cell to the edge.
    private func makeAlike(_ states: inout [Tensor], evaluation: Int, share: (Int) -> Float) {
        let before = states
        for sides in joins.alike {
            let source = sides[evaluation % sides.count]
            for target in sides where target != source {
                for distance in 0..<strip {
                    let lines = frame.strip(source.side, from: distance, depth: 1, along: false)
                    let line = before[source.image].copy(region: lines).turned(by: source.side.turns(to: target.side))
                    let place = frame.strip(target.side, from: distance, depth: 1, along: false)
                    let own = states[target.image].copy(region: place)
                    states[target.image].write(own.lerp(to: line, fraction: share(distance)), x: place.x, y: place.y)
                }
            }
        }
    }

    private func fillPaddings(_ states: inout [Tensor], evaluation: Int) {
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
