import ChoirTensor
import Foundation
import Testing

@testable import Choir

@Suite struct TileSetTests {
    private static func image(_ name: String, _ seed: UInt64, _ sides: [TileSide: (Int, String)]) -> TileImage {
        TileImage(
            name: name, prompt: name, seed: seed,
            sides: sides.mapValues { SideLabel(id: $0.0, direction: $0.1 == "cw" ? .clockwise : .counterclockwise) })
    }

    private static func set(_ count: Int, _ axes: WrappedAxes = .xy) -> [TileImage] {
        (0..<count).map {
            TileImage(name: "t\($0)", prompt: "", seed: UInt64($0), sides: TileImage.sides(joining: axes))
        }
    }

    @Test func `partners are sides of the same number and the other direction`() {
        let joins = TileJoins([
            Self.image("a", 0, [.right: (1, "cw"), .top: (2, "cw")]),
            Self.image("b", 1, [.left: (1, "ccw"), .bottom: (1, "ccw"), .right: (2, "ccw")]),
        ])
        #expect(
            joins.partners.map(\.side) == [
                JoinedSide(image: 0, side: .right), JoinedSide(image: 0, side: .top),
                JoinedSide(image: 1, side: .right), JoinedSide(image: 1, side: .bottom),
                JoinedSide(image: 1, side: .left),
            ])
        #expect(
            joins.partners[0].others == [JoinedSide(image: 1, side: .bottom), JoinedSide(image: 1, side: .left)])
        #expect(joins.alike == [[JoinedSide(image: 1, side: .bottom), JoinedSide(image: 1, side: .left)]])
        #expect(joins.joinsX && joins.joinsY)
    }

    private static let frame = TileFrame(width: 6, height: 6, padding: (3, 3), minimum: (0, 0), alignment: 4)

    private func noise(_ seed: UInt64) -> Tensor {
        CounterNoise(seed: seed).normal(
            region: Region(x: 0, y: 0, width: Self.frame.width, height: Self.frame.height), channels: 1, draw: 0)
    }

    @Test func `a picture that joins itself sees itself around it, through the corners`() {
        let exchange = SideExchange(joins: TileJoins(Self.set(1)), frame: Self.frame, strip: 1)
        var states = [noise(1)]
        let picture = states[0].copy(region: Self.frame.picture)
        exchange.fillPaddings(&states, evaluation: 0)
        let around = Region(x: -3, y: -3, width: 12, height: 12)
        let expected = picture.copy(region: around, border: .wrap(x: true, y: true))
        let same = states[0].copy(region: Region(x: 0, y: 0, width: 12, height: 12)) == expected
        #expect(same)
    }

    /// Every pair of sides that can be joined.
    static let pairs = TileSide.allCases.flatMap { first in TileSide.allCases.map { (first, $0) } }

    @Test(arguments: pairs)
    func `beyond a side lies what the partner has there when it is turned to fit`(first: TileSide, second: TileSide) {
        let images = [Self.image("a", 1, [first: (1, "cw")]), Self.image("b", 2, [second: (1, "ccw")])]
        // Padding everywhere, as in a set that joins along both axes.
        let exchange = SideExchange(joins: TileJoins(images), frame: Self.frame, strip: 1)
        var states = [noise(1), noise(2)]
        let partner = states[1].copy(region: Self.frame.picture).turned(by: second.turns(to: first.opposite))
        exchange.fillPaddings(&states, evaluation: 3)
        let inside = Self.frame.strip(first.opposite, from: 0, depth: 3, along: false)
        let expected = partner.copy(
            region: Region(x: inside.x - 3, y: inside.y - 3, width: inside.width, height: inside.height))
        let beyond = Self.frame.strip(first, from: -3, depth: 3, along: false)
        let same = states[0].copy(region: beyond) == expected
        #expect(same)
    }

    /// A vertical line of each picture, by its distance to the right or left edge.
    private func lines(_ pictures: [Tensor], _ side: TileSide, _ distance: Int) -> [Tensor] {
        pictures.map { $0.copy(region: Self.frame.strip(side, from: distance, depth: 1, along: false)) }
    }

    @Test(arguments: [TileSide.right, .left])
    func `sides of which any must fit share their noise, and fade into one of them in turn`(side: TileSide) {
        let exchange = SideExchange(joins: TileJoins(Self.set(3, .x)), frame: Self.frame, strip: 3)
        let own = [noise(1), noise(2), noise(3)]
        var shared = own
        exchange.shareNoise(&shared)
        for distance in 0..<3 { #expect(Set(lines(shared, side, distance)) == [lines(own, side, distance)[0]]) }
        for evaluation in 0..<6 {
            var predictions = own
            exchange.makeAlike(&predictions, evaluation: evaluation)
            for (distance, share) in [0.933, 0.5, 0.067].enumerated() {
                let (before, after) = (lines(own, side, distance), lines(predictions, side, distance))
                for index in own.indices {
                    let expected = before[index].lerp(to: before[evaluation % 3], fraction: Float(share))
                    #expect(zip(after[index].elements, expected.elements).allSatisfy { abs($0 - $1) < 0.005 })
                }
            }
        }
    }

    @Test(arguments: 0..<4)
    func `the sides that are copied are those that all have seen`(evaluation: Int) {
        let exchange = SideExchange(joins: TileJoins(Self.set(3, .x)), frame: Self.frame, strip: 3)
        let (own, turn) = ([noise(1), noise(2), noise(3)], evaluation % 3)
        var (states, predictions) = (own, own)
        exchange.fillPaddings(&states, evaluation: evaluation)
        exchange.makeAlike(&predictions, evaluation: evaluation)
        let beyondLeft = Self.frame.strip(.left, from: -3, depth: 3, along: false)
        let insideRight = Self.frame.strip(.right, from: 0, depth: 3, along: false)
        for state in states {
            let seen = state.copy(region: beyondLeft) == own[turn].copy(region: insideRight)
            #expect(seen)
        }
        let copied = predictions[turn] == own[turn]
        #expect(copied)
    }

    @Test func `pictures that are alike stay as they are, also where their strips cross`() {
        let exchange = SideExchange(joins: TileJoins(Self.set(3)), frame: Self.frame, strip: 3)
        let alike = [Tensor](repeating: noise(4), count: 3)
        var predictions = alike
        exchange.makeAlike(&predictions, evaluation: 1)
        for (before, after) in zip(alike, predictions) {
            #expect(zip(before.elements, after.elements).allSatisfy { abs($0 - $1) < 1e-6 })
        }
    }

    private static func request(_ images: [TileImage], padding: Int = 16) -> TileSetRequest {
        var request = TileSetRequest(images: images, size: PixelSize(width: 64, height: 64))
        request.padding = padding
        request.strip = 4
        request.steps = 2
        return request
    }

    @Test func `one module and five paint the same pictures, each by its prompt and seed`() async throws {
        let request = Self.request(Self.set(3))
        let alone = try await ParallelDiffusionPipeline(denoiser: FakeDenoiser(), modules: 1).paint(request)
        var slow = FakeDenoiser()
        slow.disturb = { _ in try await Task.sleep(for: .microseconds(Int.random(in: 0..<3000))) }
        let same = try await ParallelDiffusionPipeline(denoiser: slow, modules: 5).paint(request) == alone
        #expect(same)
        #expect(alone.count == 3 && alone.allSatisfy { $0.shape == [3, 64, 64] })
        #expect(Set(alone).count == 3)
        var other = request
        other.images[2].prompt = "blue"
        let changed = try await ParallelDiffusionPipeline(denoiser: FakeDenoiser(), modules: 2).paint(other)
        #expect(changed[2] != alone[2])
    }

    @Test(arguments: [(8, [6, 3]), (4, [4, 3])])
    func `a set asks for no more modules than it can keep busy`(modules: Int, expected: [Int]) async throws {
        var model = FakeDenoiser()
        let asked = AskedModules()
        model.make = { await asked.note($0) }
        // Three pictures; guidance asks twice at the coarser size.
        _ = try await ParallelDiffusionPipeline(denoiser: model, modules: modules).paint(Self.request(Self.set(3)))
        let counts = await asked.counts
        #expect(counts == expected)
    }

    @Test func `pictures that must join are smooth across the join, others are not`() async throws {
        let pipeline = try ParallelDiffusionPipeline(denoiser: smoothingDenoiser, modules: 2)
        var request = Self.request(Self.set(3, .x))
        request.steps = 6
        let pictures = try await pipeline.paint(request)
        let steps = { (first: Tensor, second: Tensor) in
            (0..<3 * 64).reduce(0.0) { $0 + Double(abs(first.elements[$1 * 64 + 63] - second.elements[$1 * 64])) }
        }
        var inside = 0.0
        for picture in pictures {
            for index in picture.elements.indices where index % 64 > 0 {
                inside += Double(abs(picture.elements[index] - picture.elements[index - 1]))
            }
        }
        inside /= Double(3 * 63)
        for first in pictures {
            for second in pictures { #expect(steps(first, second) < 2.5 * inside) }
        }
        // Top against right: nothing was asked of them.
        #expect(steps(pictures[0].turned(by: 1), pictures[1].turned(by: 1)) > 3 * inside)
    }

    @Test func `progress counts every evaluation of the plan`() async throws {
        final class Counts: @unchecked Sendable { var done: [Int] = [] }  // Told one after another.
        let counts = Counts()
        let pipeline = try ParallelDiffusionPipeline(denoiser: FakeDenoiser(), modules: 2)
        let plan = try pipeline.plan(Self.request(Self.set(2)))
        _ = try await pipeline.paint(Self.request(Self.set(2))) { done, count in
            counts.done.append(done)
            #expect(count == plan.evaluations)
        }
        #expect(counts.done.last == plan.evaluations)
        #expect(plan.tile == PixelSize(width: 96, height: 96))
    }

    static let refusals: [(String, @Sendable (inout TileSetRequest) -> Void)] = [
        ("sides", { $0.images = [image("a", 0, [:])] }),
        ("sides", { $0.images = [image("a", 0, [.right: (1, "cw")])] }),
        ("sides", { $0.images = [image("a", 0, [.right: (1, "cw"), .left: (2, "ccw")])] }),
        ("name", { $0.images = [$0.images[0], $0.images[0]] }), ("name", { $0.images[0].name = "../a" }),
        ("padding", { $0.padding = 40 }), ("strip", { $0.strip = 0 }), ("width", { $0.size.width = 66 }),
        ("steps", { $0.steps = 0 }), ("number of pictures", { $0.images = [] }),
        (
            "sides",
            {
                $0.size.width = 128
                $0.images = [image("a", 0, [.right: (1, "cw"), .top: (1, "ccw")])]
            }
        ),
    ]

    @Test(arguments: refusals)
    func `sets that cannot be are refused`(field: String, change: @Sendable (inout TileSetRequest) -> Void) throws {
        var request = Self.request(Self.set(1))
        change(&request)
        do {
            _ = try TileSetPlan(request: request, traits: FakeDenoiser().traits)
            Issue.record("planned \(request)")
        } catch let error as RequestError {
            #expect(error.field == field)
        }
    }

    @Test func `labels survive JSON, and a side that there is not is refused`() throws {
        let images = [Self.image("a", 3, [.right: (1, "cw"), .top: (2, "ccw")])]
        let data = try JSONEncoder().encode(images)
        #expect(try JSONDecoder().decode([TileImage].self, from: data) == images)
        let json = #"[{"name": "a", "sides": {"rihgt": {"id": 1, "direction": "cw"}}}]"#
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([TileImage].self, from: Data(json.utf8)) }
    }

    @Test func `all neighbours of a mosaic fit, and there is none where they cannot`() throws {
        let images = [
            Self.image("a", 0, [.right: (1, "cw"), .left: (2, "ccw")]),
            Self.image("b", 0, [.right: (2, "cw"), .left: (1, "ccw")]),
        ]
        let row = try #require(TileMosaic(images: images, isSquare: false, columns: 6, rows: 1, seed: 1)).rows[0]
        for (left, right) in zip(row, row.dropFirst()) { #expect(left.image != right.image) }
        #expect(row.allSatisfy { $0.quarterTurns == 0 })
        #expect(TileMosaic(images: images, isSquare: true, columns: 2, rows: 2, seed: 1) == nil)
        let any = try #require(TileMosaic(images: Self.set(4), isSquare: true, columns: 5, rows: 4, seed: 2))
        #expect(Set(any.rows.joined().map(\.image)) == [0, 1, 2, 3])
        #expect(any == TileMosaic(images: Self.set(4), isSquare: true, columns: 5, rows: 4, seed: 2))
        // Right only joins right: each second picture stands on its head.
        let mirrored = [
            Self.image("a", 0, [.right: (1, "cw"), .left: (2, "cw")]),
            Self.image("b", 0, [.right: (1, "ccw"), .left: (2, "ccw")]),
        ]
        let turned = try #require(TileMosaic(images: mirrored, isSquare: false, columns: 4, rows: 1, seed: 1)).rows[0]
        #expect(turned.map(\.quarterTurns) == [0, 2, 0, 2])
    }
}
