import Choir
import ChoirEngine
import ChoirImage
import ChoirSampling
import Foundation

/// A painting for which the machine has not enough memory or disk.
struct FeasibilityError: Error, CustomStringConvertible {
    let description: String
}

/// Whether a painting fits, before anything runs.
enum Feasibility {
    /// - Throws: `FeasibilityError` that says what is needed, what there is, and the size that would fit.
    static func check(_ pipeline: ParallelDiffusionPipeline, _ request: PaintRequest, output: String) throws {
        try checkMemory(pipeline, request)
        let plan = try pipeline.plan(request)
        let directory = URL(fileURLWithPath: output).deletingLastPathComponent().path
        if let free = ProcessMemory.freeDiskBytes(at: directory), try diskBytes(plan, output: output) > free {
            let most = try largestSize(like: request) {
                try diskBytes(pipeline.plan($0), output: output) <= free
            }
            throw FeasibilityError(
                description: """
                    \(request.size) pixels need up to \(try diskBytes(plan, output: output).inGigabytes) of disk and \
                    \(free.inGigabytes) are free in \(directory); \
                    \(most.map { "\($0) would fit" } ?? "no size of this shape would fit")
                    """)
        }
    }

    /// As `check`, without the disk: a run that is resumed has its part of it already.
    static func checkMemory(_ pipeline: ParallelDiffusionPipeline, _ request: PaintRequest) throws {
        let plan = try pipeline.plan(request)
        if let available = ProcessMemory.availableBytes, plan.peakBytes > available {
            let most = try largestSize(like: request) { try pipeline.plan($0).peakBytes <= available }
            throw FeasibilityError(
                description: """
                    \(request.size) pixels need \(plan.peakBytes.inGigabytes) of memory and \(available.inGigabytes) \
                    are available; \(most.map { "\($0) would fit" } ?? "no size of this shape would fit")
                    """)
        }
    }

    /// The run directory, and the picture as if nothing could be compressed.
    static func diskBytes(_ plan: PaintPlan, output: String) throws -> Int {
        let size = plan.request.size
        let format = try ImageFormat(path: output)
        let form = plan.form
        let picture = size.width * size.height * form.channels * form.bitDepth / 8
        let pyramid = format == .tiff || format == .deepZoom ? picture / 3 : 0
        return plan.runBytes + picture + pyramid
            + ImageWriter.temporaryBytes(
                format: format, width: size.width, height: size.height, channels: form.channels,
                bitDepth: form.bitDepth)
    }

    /// The largest size of the request's shape that fits, in steps of 1/64 of its sides.
    private static func largestSize(like request: PaintRequest, fits: (PaintRequest) throws -> Bool) throws
        -> PixelSize?
    {
        for parts in stride(from: 63, through: 1, by: -1) {
            var smaller = request
            smaller.size = PixelSize(width: request.size.width * parts / 64, height: request.size.height * parts / 64)
            guard smaller.size.width >= 16, smaller.size.height >= 16 else { return nil }
            if try fits(smaller) { return smaller.size }
        }
        return nil
    }
}

extension Int {
    /// Bytes in decimal gigabytes, to be read.
    var inGigabytes: String { String(format: "%.2f GB", Double(self) / 1e9) }
}
