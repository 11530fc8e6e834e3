import ArgumentParser
import Choir
import ChoirEngine
import ChoirImage
import ChoirSampling
import Foundation

/// Says what a painting would do and take.
struct Plan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says what a painting would do and take: tiles, evaluations, peak memory, disk. Runs nothing.")

    @Argument(help: "What the picture shows; the plan hardly depends on it.")
    var prompt = ""

    @OptionGroup var picture: PictureOptions

    @Option(help: "The picture's file, for the disk that its format takes.")
    var output = "choir.png"

    @OptionGroup var engine: EngineArguments

    func run() async throws {
        try await exitingOnError {
            let request = try picture.request(prompt: prompt)
            try request.validate()
            let format = try ImageFormat(path: output)
            let pipeline = try await engine.settings.pipeline()
            let plan = try picture.plan(request, for: pipeline)
            try format.validate(
                output, width: request.size.width, height: request.size.height, channels: plan.form.channels,
                bitDepth: plan.form.bitDepth)
            for stage in plan.stages { print(Self.describe(stage, of: plan)) }
            print("evaluations of the network: \(plan.evaluations)")
            print("peak memory: about \(plan.peakBytes.inGigabytes)")
            let disk = try Feasibility.diskBytes(plan, output: output)
            print("disk: up to \(disk.inGigabytes), \(plan.runBytes.inGigabytes) of it while painting")
            try Feasibility.check(pipeline, plan.request, output: output)
        }
    }

    private static func describe(_ stage: Stage, of plan: PaintPlan) -> String {
        let (columns, rows) = (stage.tiles.columns, stage.tiles.rows)
        let edges = columns.wraps || rows.wraps ? ", wrapped" : ""
        let expert = stage.belongsToRefiner ? plan.handOver.map { ", by the refiner \($0.refiner)" } ?? "" : ""
        let counts = stage.evaluationCounts
        let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
        let perStep = least == most ? "\(most)" : "\(least) to \(most)"
        let side = plan.pixelsPerCell
        let isPicture = side == 1 && (columns.length, rows.length) == (stage.contentWidth, stage.contentHeight)
        let canvas = isPicture ? "" : " (a canvas of \(columns.length)x\(rows.length) cells)"
        return """
            \(stage.contentWidth * side)x\(stage.contentHeight * side)\(canvas): \
            \(columns.starts.count) x \(rows.starts.count) tiles of \
            \(columns.window * side)x\(rows.window * side), overlap \(stage.overlap * side), \
            \(stage.schedule.steps) steps of \(stage.sampler.displayName), guidance \(stage.guidance.scale), \
            \(perStep) evaluations a step, \(stage.merging.rawValue)\(edges)\(expert)
            """
    }
}
