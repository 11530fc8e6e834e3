import ArgumentParser
import Choir
import ChoirEngine
import ChoirImage
import ChoirModels
import ChoirRuntime
import ChoirSampling
import ChoirTensor
import Foundation

/// Runs a command; an error becomes one sentence on standard error and the exit code of its kind.
func exitingOnError(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let code as ExitCode {
        throw code
    } catch {
        printError("\(error)")
        throw ExitCode(exitCode(of: error))
    }
}

/// One line on standard error, also where a library has more to say.
func printError(_ message: String) {
    let sentence = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    FileHandle.standardError.write(Data("choir: \(sentence)\n".utf8))
}

/// The codes of `sysexits.h`, as the command's help lists them.
func exitCode(of error: any Error) -> Int32 {
    switch error {
    case is RequestError: EX_USAGE
    // A checkpoint's scheduler_config.json, or a request's settings.
    case let error as SamplingError: error.code == .invalidConfiguration ? EX_DATAERR : EX_USAGE
    case is ModelError, is RunError, is InputError, is MapError: EX_DATAERR
    case let error as SafetensorsError: error.code == .writing ? EX_CANTCREAT : EX_DATAERR
    case is FeasibilityError: EX_UNAVAILABLE
    case is FileError: EX_CANTCREAT
    case let error as ImageError:
        switch error.code {
        case .unsupportedFormat, .invalidSize, .invalidOption, .invalidMetadata, .invalidBorder: EX_USAGE
        default: EX_CANTCREAT
        }
    case let error as OpenVINOError: [.device, .option].contains(error.code) ? EX_USAGE : EX_SOFTWARE
    default: EX_SOFTWARE
    }
}

/// A picture that a command was given to read and cannot.
struct InputError: Error, CustomStringConvertible {
    let description: String

    /// Runs what reads a picture: an `ImageError` then speaks of an input.
    static func reading<Result>(_ body: () throws(ImageError) -> Result) throws(InputError) -> Result {
        do {
            return try body()
        } catch {
            throw InputError(description: error.description)
        }
    }
}
