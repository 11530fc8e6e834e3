import Logging

/// What a user need not know unless something is slower than it could be, or somebody looks for a cause.
let log = Logger(label: "choir.runtime")
