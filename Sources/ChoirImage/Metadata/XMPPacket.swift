/// The XMP packet that carries both texts (ISO 16684-1): `dc:description` and `choir:request`.
enum XMPPacket {
    private static let openRequest = "<choir:request>"
    private static let closeRequest = "</choir:request>"
    private static let openDescription = "<rdf:li xml:lang=\"x-default\">"
    private static let closeDescription = "</rdf:li>"

    /// The packet in UTF-8.
    static func encode(_ metadata: ImageMetadata) -> [UInt8] {
        var text = """
            <?xpacket begin="\u{FEFF}" id="W5M0MpCehiHzreSzNTczkc9d"?>
            <x:xmpmeta xmlns:x="adobe:ns:meta/">
            <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
            <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:choir="urn:choir:image:1">

            """
        if let parameters = metadata.parameters {
            let item = openDescription + escape(parameters) + closeDescription
            text += "<dc:description><rdf:Alt>\(item)</rdf:Alt></dc:description>\n"
        }
        if let choir = metadata.choir { text += openRequest + escape(choir) + closeRequest + "\n" }
        text += "</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>"
        return Array(text.utf8)
    }

    /// The texts of a packet that ``encode(_:)`` wrote; of another writer's, at most the description.
    static func decode(_ packet: [UInt8]) -> ImageMetadata {
        let text = Array(String(decoding: packet, as: UTF8.self).unicodeScalars)
        return ImageMetadata(
            parameters: content(of: text, from: openDescription, to: closeDescription),
            choir: content(of: text, from: openRequest, to: closeRequest)
        )
    }

    private static func content(of text: [Unicode.Scalar], from open: String, to close: String) -> String? {
        let open = Array(open.unicodeScalars)
        let close = Array(close.unicodeScalars)
        guard let start = firstIndex(of: open, in: text[...]),
            let end = firstIndex(of: close, in: text[(start + open.count)...])
        else { return nil }
        return unescape(text[(start + open.count)..<end])
    }

    private static func firstIndex(of pattern: [Unicode.Scalar], in text: ArraySlice<Unicode.Scalar>) -> Int? {
        text.indices.first { text[$0] == pattern[0] && text[$0...].starts(with: pattern) }
    }

    /// XML 1.0 has no way to write most control characters; they become U+FFFD.
    private static func escape(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;".unicodeScalars
            case "<": escaped += "&lt;".unicodeScalars
            case ">": escaped += "&gt;".unicodeScalars
            case "\r": escaped += "&#13;".unicodeScalars
            case "\t", "\n": escaped.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": escaped.append("\u{FFFD}")
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }

    private static let entities: [String: Unicode.Scalar] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'",
    ]

    private static func unescape(_ text: ArraySlice<Unicode.Scalar>) -> String {
        var plain = String.UnicodeScalarView()
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == "&", let end = text[index...].prefix(12).firstIndex(of: ";"),
                let scalar = scalar(ofEntity: String(String.UnicodeScalarView(text[(index + 1)..<end])))
            {
                plain.append(scalar)
                index = end + 1
            } else {
                plain.append(text[index])
                index += 1
            }
        }
        return String(plain)
    }

    private static func scalar(ofEntity name: String) -> Unicode.Scalar? {
        if let scalar = entities[name] { return scalar }
        if name.hasPrefix("#x") { return UInt32(name.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init) }
        if name.hasPrefix("#") { return UInt32(name.dropFirst(1)).flatMap(Unicode.Scalar.init) }
        return nil
    }
}
