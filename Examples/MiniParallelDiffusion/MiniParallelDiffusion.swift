import Choir
import ChoirEngine

/// Four tiles paint one sky: each is denoised by a module of its own, and hears the others through cross-spatial
/// attention in every step. Usage: MiniParallelDiffusion [FILE] [SIDE]
@main struct MiniParallelDiffusion {
    static func main() async throws {
        let file = CommandLine.arguments.dropFirst().first ?? "mini.png"
        let side = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 2048

        var request = PaintRequest(prompt: "red nebula, blue stars", size: PixelSize(width: side, height: side))
        request.overlap = side / 16
        request.tile = (side + side / 16) / 2
        request.bridges = [.consensus, .attention, .coarse]

        let pipeline = try await ParallelDiffusionPipeline(model: .cosmos, modules: 4)
        for try await event in pipeline.paint(request) {
            switch event {
            case .planned(let plan): print("\(plan.tiles) tiles, \(plan.evaluations) evaluations")
            case .step(let done, let count): print("step \(done) of \(count)")
            case .finished(let painting): print("\(file): \(try await painting.write(to: file).pixelsSHA256)")
            default: break
            }
        }
    }
}
