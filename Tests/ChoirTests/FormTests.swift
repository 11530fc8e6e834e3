import ChoirSampling
import ChoirTensor
import Testing

@testable import Choir

/// Objects with a learned form, and how they lead what is composed.
@Suite struct FormTests {
    /// Forms of one grey square, which prompts with many letters ask for.
    private func forms(sizes: ClosedRange<Double> = 3...12, filled: Double = 0.5) -> LearnedForms {
        LearnedForms(
            kinds: [.init(name: "square", sizes: sizes, filled: filled, codes: [[0], [1]])], until: 0.01, side: 8,
            channels: 3,
            decoder: [DenseLayer(weight: Tensor(shape: [192, 2]), bias: Tensor(shape: [192], repeating: 0.7))],
            likelihoods: DenseLayer(
                weight: Tensor(shape: [2, 1], elements: [100, 0]), bias: Tensor(shape: [2], elements: [-30, 0])))
    }

    private func request(_ prompt: String, _ width: Int, _ height: Int, seed: UInt64) -> PaintRequest {
        var request = PaintRequest(prompt: prompt, size: PixelSize(width: width, height: height))
        request.seed = seed
        return request
    }

    private func placement(
        _ request: PaintRequest, width: Int, height: Int, weights: [[Float]]? = nil, shares: [[Double]?] = [[1]]
    ) -> (FormPlacement, FormPlane) {
        let plane = FormPlane(
            width: width, height: height, stride: width, wrapsX: request.wraps(.x), wrapsY: request.wraps(.y))
        let placement = FormPlacement(
            request, on: plane, weights: weights ?? [[Float](repeating: 1, count: width * height)], shares: shares,
            kinds: forms().kinds)
        return (placement, plane)
    }

    @Test(arguments: 0..<8 as Range<UInt64>, [nil, WrappedAxes.xy])
    func `objects lie in the picture, apart from each other, and cover about what they shall`(
        seed: UInt64, tileable: WrappedAxes?
    ) {
        var request = self.request("a", 512, 384, seed: seed)
        request.tileable = tileable
        let (placement, plane) = placement(request, width: 64, height: 48)
        #expect(placement.objects.count > 3)
        var covered = 0.0
        for (index, object) in placement.objects.enumerated() {
            let radius = 0.45 * object.size
            #expect(plane.holds(object.candidate.x, object.candidate.y, radius: radius))
            covered += .pi * radius * radius
            for other in placement.objects[..<index] {
                let (dx, dy) = plane.offset(
                    fromX: other.candidate.x, y: other.candidate.y, toX: object.candidate.x, y: object.candidate.y)
                #expect((dx * dx + dy * dy).squareRoot() >= radius + 0.45 * other.size)
            }
        }
        #expect((0.15...0.55).contains(covered / (64 * 48)))
        let sizes = placement.objects.map(\.size)
        #expect(sizes.min() ?? 0 >= 3 && sizes.max() ?? 99 <= 12)
    }

    @Test func `another seed has other objects`() {
        let places = { (seed: UInt64) in
            let request = self.request("a", 512, 512, seed: seed)
            return placement(request, width: 64, height: 64).0.objects.map(\.candidate.x)
        }
        #expect(places(1) == places(1))
        #expect(places(1) != places(2))
    }

    @Test func `a part that is given another seed has other objects, and the rest keeps its own`() {
        let own = self.request("a", 512, 512, seed: 1)
        var redrawn = own
        redrawn.reseeds = [Reseed(PictureRectangle(x: 0.5, y: 0, width: 0.5, height: 1), seed: 9)]
        let before = placement(own, width: 64, height: 64).0.objects.map(\.candidate)
        let after = placement(redrawn, width: 64, height: 64).0.objects.map(\.candidate)
        #expect(after.filter { $0.x < 32 } == before.filter { $0.x < 32 })
        #expect(after.filter { $0.x >= 32 } != before.filter { $0.x >= 32 })
        #expect(after.contains { $0.x >= 32 } && after.contains { $0.x < 32 })
    }

    @Test func `objects lie where they are told, and not where something without a form is`() {
        let left = (0..<64 * 64).map { cell in cell % 64 < 32 ? Float(1) : 0 }
        let request = self.request("a", 512, 512, seed: 3)
        let (placement, _) = placement(
            request, width: 64, height: 64, weights: [left, left.map { 1 - $0 }], shares: [nil, [1]])
        #expect(!placement.objects.isEmpty)
        for object in placement.objects {
            #expect(object.content == 1)
            #expect(object.candidate.x - 0.36 * object.size >= 31)
        }
    }

    @Test func `a picture is made of the codes and the text, and shares of the text alone`() throws {
        let forms = LearnedForms(
            kinds: [.init(name: "one", sizes: 1...2, filled: 1, codes: [[0.2], [0.6]])], until: 0, side: 1, channels: 1,
            decoder: [
                DenseLayer(weight: Tensor(shape: [1, 2], elements: [1, 0]), bias: Tensor(shape: [1])),
                DenseLayer(weight: Tensor(shape: [1, 1], repeating: 1), bias: Tensor(shape: [1])),
                DenseLayer(weight: Tensor(shape: [1, 1], repeating: 1), bias: Tensor(shape: [1])),
            ], likelihoods: DenseLayer(weight: Tensor(shape: [2, 1], elements: [1, -1]), bias: Tensor(shape: [2])))
        let text = Tensor(shape: [1], elements: [9])
        // x · sigmoid(x) twice, of 0.4, half way between both codes: 0.23947, then 0.13400.
        let picture = forms.picture(ofKind: 0, text: text, pair: (0, 0.9), share: 0.5)
        #expect(abs(picture.elements[0] - 0.13400) < 1e-4)
        #expect(forms.shares(of: text) == [1])
        #expect(forms.shares(of: Tensor(shape: [1], elements: [-9])) == nil)
    }

    private func denoiser(_ forms: LearnedForms?) -> FakeDenoiser {
        var denoiser = FakeDenoiser()
        denoiser.traits.overlap = 0
        denoiser.forms = forms
        return denoiser
    }

    private actor Seen {
        private(set) var values: Set<Float> = []
        func add(_ tile: Tensor?) { values.formUnion(tile?.elements ?? []) }
    }

    @Test(arguments: [[BridgeKind.consensus, .coarse], [.consensus, .attention, .coarse]])
    func `what finer sizes see is the sketch, black between its objects`(bridges: [BridgeKind]) async throws {
        let seen = Seen()
        var denoiser = denoiser(forms())
        denoiser.disturb = { await seen.add($0.coarse) }
        var request = self.request("galaxies", 256, 256, seed: 5)
        request.bridges = bridges
        let painted = try await canvas(request, by: denoiser)
        let values = await seen.values
        // Grey of 0.7 by the decoder's x · sigmoid(x), times a brightness, is 0.40 to 0.51 of white; corners meet.
        #expect(values.min() ?? 0 < -0.95)
        #expect((-0.5...0.55).contains(values.max() ?? 1))
        #expect(try await canvas(request, by: denoiser, modules: 1) == painted)
        #expect(try await canvas(request, by: self.denoiser(nil)) != painted)
    }

    @Test func `a prompt that names nothing with a form is painted as without forms`() async throws {
        let request = self.request("a", 256, 256, seed: 5)
        #expect(try await canvas(request, by: denoiser(forms())) == canvas(request, by: denoiser(nil)))
    }

    @Test func `what is composed at full size has no sketch`() async throws {
        var request = self.request("galaxies", 128, 128, seed: 5)
        request.bridges = [.consensus]
        #expect(try await canvas(request, by: denoiser(forms())) == canvas(request, by: denoiser(nil)))
    }

    @Test func `pictures of a set are sketched too, black where they are joined`() async throws {
        let seen = Seen()
        var denoiser = denoiser(forms(sizes: 3...6))
        denoiser.disturb = { await seen.add($0.coarse) }
        let images = (0..<2).map {
            TileImage(name: "\($0)", prompt: "galaxies", seed: UInt64($0), sides: TileImage.sides(joining: .xy))
        }
        var request = TileSetRequest(images: images, size: PixelSize(width: 128, height: 128))
        (request.padding, request.strip) = (16, 8)
        let pictures = try await ParallelDiffusionPipeline(denoiser: denoiser, modules: 2).paint(request)
        let values = await seen.values
        #expect(values.min() ?? 0 < -0.95)
        #expect((-0.5...0.55).contains(values.max() ?? 1))
        #expect(try await ParallelDiffusionPipeline(denoiser: denoiser, modules: 1).paint(request) == pictures)
        let plain = try ParallelDiffusionPipeline(denoiser: self.denoiser(nil), modules: 2)
        #expect(try await plain.paint(request) != pictures)
    }

    @Test func `a sketch of a picture of a set is black in its strips and around it`() throws {
        let frame = TileFrame(width: 32, height: 32, padding: (8, 8), minimum: (0, 0), alignment: 16)
        let image = TileImage(name: "a", prompt: "galaxies", seed: 1, sides: TileImage.sides(joining: .xy))
        let sketch = try #require(
            CanvasSketch(
                frame, strip: 4, of: image, forms: forms(sizes: 3...6), channels: 3,
                embedding: Tensor(shape: [1], repeating: 1)))
        var led = Tensor(shape: [3, frame.height, frame.width])
        sketch.lead(&led, at: .flow(0.5))
        let inner = Region(x: 12, y: 12, width: 24, height: 24)
        #expect(led.elements.contains { $0 > -0.5 })
        led.write(Tensor(shape: [3, 24, 24], repeating: -1), x: inner.x, y: inner.y)
        // Corners of an object's square reach a little further than the object.
        let outside = led.elements.filter { $0 > -0.99 }.count
        #expect(outside < 60)
        var late = Tensor(shape: led.shape)
        sketch.lead(&late, at: .flow(0.005))
        #expect(late == Tensor(shape: led.shape))
    }
}
