/// Byte-pair encoding of single words, with CLIP's mark at a word's end (Sennrich et al. 2016, algorithm 1).
///
/// A word starts as its bytes, the last one marked as such. The pair of neighbours that was learned first is joined,
/// the leftmost if it occurs more than once, until no neighbours are a learned pair.
struct BytePairEncoding: Sendable {
    private struct Merge {
        let rank: Int32
        let joined: Int32
    }

    private let merges: [UInt64: Merge]
    /// The ids of the 256 bytes within a word.
    private let inner: [Int32]
    /// The ids of the 256 bytes at a word's end.
    private let final: [Int32]

    /// Makes the encoding of a vocabulary.
    ///
    /// - Parameters:
    ///   - vocabulary: Ids by token; each byte of a token is written as the character of `byteCharacters`.
    ///   - merges: Pairs of tokens, those learned first at the front.
    ///   - suffix: What marks a word's end, `</w>`.
    ///   - unknown: The id for bytes that the vocabulary lacks.
    ///   - path: The file with the merges, for errors.
    init(
        vocabulary: [String: Int], merges: [(String, String)], suffix: String, unknown: Int, path: String
    ) throws(ModelError) {
        var table: [UInt64: Merge] = [:]
        table.reserveCapacity(merges.count)
        for (rank, (first, second)) in merges.enumerated() {
            guard let a = vocabulary[first], let b = vocabulary[second], let joined = vocabulary[first + second] else {
                throw ModelError(
                    path,
                    "merge \(rank + 1), \"\(first.prefix(40)) \(second.prefix(40))\": found a token that the vocabulary "
                        + "lacks, expected both parts and what they join to")
            }
            table[Self.key(Int32(a), Int32(b))] = Merge(rank: Int32(rank), joined: Int32(joined))
        }
        self.merges = table
        let characters = Self.byteCharacters
        inner = characters.map { Int32(vocabulary[String($0)] ?? unknown) }
        final = characters.map { Int32(vocabulary[String($0) + suffix] ?? unknown) }
    }

    private static func key(_ a: Int32, _ b: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: a)) << 32 | UInt64(UInt32(bitPattern: b))
    }

    /// The characters that vocabularies write bytes as: printable ones of Latin-1 as themselves, the others as the
    /// characters from U+0100 on, in order (GPT-2's `bytes_to_unicode`).
    static let byteCharacters: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (UInt32(0)..<256).map { byte in
            let isPrintable = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
            defer { next += isPrintable ? 0 : 1 }
            return Unicode.Scalar(isPrintable ? byte : next) ?? " "
        }
    }()

    /// The ids of a word's tokens.
    func encode(_ word: some Collection<UInt8>) -> [Int] {
        var symbols: [Symbol] = []
        symbols.reserveCapacity(word.count)
        for (index, byte) in word.enumerated() {
            let isLast = index == word.count - 1
            symbols.append(
                Symbol(
                    id: isLast ? final[Int(byte)] : inner[Int(byte)], previous: Int32(index - 1),
                    next: isLast ? -1 : Int32(index + 1)))
        }
        guard symbols.count > 1 else { return symbols.map { Int($0.id) } }
        var candidates = PriorityQueue()
        for index in 0..<Int32(symbols.count - 1) { propose(index, symbols, to: &candidates) }
        while let candidate = candidates.popFirst() {
            let index = Int(candidate.position)
            let next = Int(symbols[index].next)
            // The neighbours may have been joined since.
            guard symbols[index].isThere, next >= 0,
                merges[Self.key(symbols[index].id, symbols[next].id)]?.joined == candidate.joined
            else { continue }
            symbols[index].id = candidate.joined
            symbols[index].next = symbols[next].next
            symbols[next].isThere = false
            if symbols[index].next >= 0 {
                symbols[Int(symbols[index].next)].previous = candidate.position
                propose(candidate.position, symbols, to: &candidates)
            }
            if symbols[index].previous >= 0 { propose(symbols[index].previous, symbols, to: &candidates) }
        }
        return symbols.filter(\.isThere).map { Int($0.id) }
    }

    private struct Symbol {
        var id: Int32
        var previous: Int32
        var next: Int32
        var isThere = true
    }

    private func propose(_ position: Int32, _ symbols: [Symbol], to queue: inout PriorityQueue) {
        let symbol = symbols[Int(position)]
        guard symbol.next >= 0, let merge = merges[Self.key(symbol.id, symbols[Int(symbol.next)].id)] else { return }
        queue.insert(PriorityQueue.Candidate(rank: merge.rank, position: position, joined: merge.joined))
    }

    /// Candidates by rank, then from left to right: a binary heap, so that a long word takes n log n.
    private struct PriorityQueue {
        struct Candidate {
            let rank: Int32
            let position: Int32
            let joined: Int32

            static func < (a: Candidate, b: Candidate) -> Bool { (a.rank, a.position) < (b.rank, b.position) }
        }

        private var heap: [Candidate] = []

        mutating func insert(_ candidate: Candidate) {
            heap.append(candidate)
            var child = heap.count - 1
            while child > 0, heap[child] < heap[(child - 1) / 2] {
                heap.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
        }

        mutating func popFirst() -> Candidate? {
            guard let first = heap.first else { return nil }
            let last = heap.removeLast()
            guard !heap.isEmpty else { return first }
            heap[0] = last
            var parent = 0
            while 2 * parent + 1 < heap.count {
                var child = 2 * parent + 1
                if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
                guard heap[child] < heap[parent] else { break }
                heap.swapAt(child, parent)
                parent = child
            }
            return first
        }
    }
}
