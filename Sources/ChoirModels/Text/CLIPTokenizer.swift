/// Turns text into the token ids of CLIP's text encoders.
///
/// The ids equal those of transformers' `CLIPTokenizer` (version 5). Read from a checkpoint's own files, or for single
/// files, which have none, from the merges of CLIP's vocabulary; see ``init(directory:)``.
public struct CLIPTokenizer: Sendable {
    /// The folder or file that it was read from, for errors.
    public let path: String

    /// The id that every sequence starts with.
    public let startToken: Int

    /// The id that ends a text.
    public let endToken: Int

    /// The id that fills a sequence behind its end: `endToken` for CLIP's own encoders, 0 (`!`) for OpenCLIP's.
    public let padToken: Int

    /// How many ids a sequence has, start and end included.
    public let maximumLength: Int

    /// One more than the highest id; a text encoder must have at least as many.
    public let tokenCount: Int

    /// The id of a comma that ends a word, where long prompts are cut; nil if there is none.
    public let commaToken: Int?

    private let encoding: BytePairEncoding
    /// Tokens that are found in the text as it is.
    private let literal: [AddedToken]
    /// Tokens that are found in composed text in lower case.
    private let folded: [AddedToken]

    /// A token that is looked for in the text before it is cut into words.
    struct AddedToken: Hashable, Sendable {
        let scalars: [Unicode.Scalar]
        let id: Int
    }

    /// Reads the tokenizer in a folder of a checkpoint, such as `tokenizer` or `tokenizer_2`.
    ///
    /// The folder holds `tokenizer.json`, or `merges.txt` and `vocab.json`; the settings come from
    /// `tokenizer_config.json` and `special_tokens_map.json`, if they are there. With `merges.txt` alone it is CLIP's own
    /// tokenizer.
    ///
    /// - Throws: `ModelError` that names the file and what is wrong with it.
    public init(directory: String) throws(ModelError) {
        try self.init(CLIPTokenizerFiles(directory: directory))
    }

    /// Reads the vocabulary in a folder of any checkpoint; padding and length are those of an encoder.
    ///
    /// - Throws: `ModelError` that names the file and what is wrong with it.
    public init(directory: String, for encoder: CLIPTextConfiguration) throws(ModelError) {
        var files = try CLIPTokenizerFiles(directory: directory)
        files.fit(encoder)
        try self.init(files)
    }

    private init(_ files: CLIPTokenizerFiles) throws(ModelError) {
        path = files.path
        let vocabulary = files.vocabulary
        var ids = vocabulary
        for token in files.addedTokens where ids[token.content] == nil { ids[token.content] = token.id }
        func id(_ role: String, _ content: String) throws(ModelError) -> Int {
            guard let id = ids[content] else {
                throw ModelError(
                    files.path, "\(role): found \"\(content.prefix(40))\", expected a token of the vocabulary")
            }
            return id
        }
        startToken = try id("bos_token", files.start)
        endToken = try id("eos_token", files.end)
        padToken = try id("pad_token", files.pad)
        maximumLength = files.maximumLength
        tokenCount = (ids.values.max() ?? 0) + 1
        commaToken = ids["," + files.suffix]
        encoding = try BytePairEncoding(
            vocabulary: vocabulary, merges: files.merges, suffix: files.suffix,
            unknown: try id("unk_token", files.unknown), path: files.mergesPath)

        var added = files.addedTokens.map { ($0.content, id: ids[$0.content] ?? $0.id, $0.isNormalized) }
        for (content, id) in [(files.start, startToken), (files.end, endToken), (files.pad, padToken)]
        where !added.contains(where: { $0.0 == content }) {
            added.append((content, id, false))
        }
        literal = added.filter { !$0.2 }.map { AddedToken(scalars: Array($0.0.unicodeScalars), id: $0.id) }
        folded = added.filter { $0.2 }.map { AddedToken(scalars: CLIPWords.normalized($0.0), id: $0.id) }
    }

    /// The ids of a text of any length, without start and end.
    ///
    /// Special tokens in the text, such as `<|endoftext|>` or, with an OpenCLIP vocabulary, `!`, become their own ids,
    /// as transformers has it.
    public func tokens(of text: String) -> [Int] {
        var ids: [Int] = []
        for part in Self.split(Array(text.unicodeScalars), by: literal) {
            switch part {
            case .token(let id): ids.append(id)
            case .text(let scalars):
                var view = String.UnicodeScalarView()
                view.append(contentsOf: scalars)
                for part in Self.split(CLIPWords.normalized(String(view)), by: folded) {
                    switch part {
                    case .token(let id): ids.append(id)
                    case .text(let scalars):
                        for word in CLIPWords.words(ofNormalized: Array(scalars)) { ids += encoding.encode(word) }
                    }
                }
            }
        }
        return ids
    }

    /// One sequence of `maximumLength` ids: start, what fits of the text, end, padding.
    public func sequence(of text: String) -> [Int] { sequence(of: tokens(of: text)) }

    func sequence(of tokens: some Collection<Int>) -> [Int] {
        let ids = [startToken] + tokens.prefix(maximumLength - 2) + [endToken]
        return ids + [Int](repeating: padToken, count: maximumLength - ids.count)
    }

    private enum Part {
        case text(ArraySlice<Unicode.Scalar>)
        case token(Int)
    }

    /// Takes tokens out of a text: at each place the longest that starts there.
    private static func split(_ scalars: [Unicode.Scalar], by tokens: [AddedToken]) -> [Part] {
        var parts: [Part] = []
        var start = 0
        var index = 0
        let firsts = Set(tokens.compactMap(\.scalars.first))
        while index < scalars.count {
            guard firsts.contains(scalars[index]),
                let token = tokens.filter({ !$0.scalars.isEmpty && scalars[index...].starts(with: $0.scalars) })
                    .max(by: { $0.scalars.count < $1.scalars.count })
            else {
                index += 1
                continue
            }
            if start < index { parts.append(.text(scalars[start..<index])) }
            parts.append(.token(token.id))
            index += token.scalars.count
            start = index
        }
        if start < scalars.count { parts.append(.text(scalars[start...])) }
        return parts
    }
}
