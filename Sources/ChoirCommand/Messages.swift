import Foundation
import Logging

/// What the libraries say beside their results, for whoever looks for a cause.
enum Messages {
    /// The environment variable that names the least level to be shown.
    static let variable = "CHOIR_LOG"

    /// Sends messages to standard error from now on, from the level that the environment names; warnings by default.
    /// Once in a process.
    static func begin() throws(InputError) {
        let name = ProcessInfo.processInfo.environment[variable] ?? Logger.Level.warning.rawValue
        guard let level = Logger.Level(rawValue: name) else {
            let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw InputError(description: "\(variable): found \(name), expected one of \(levels)")
        }
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
    }
}
