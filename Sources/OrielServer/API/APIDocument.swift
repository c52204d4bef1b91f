import OrielAccounts

/// The description of the API for programs: OpenAPI 3.1, made of the operations that requests are routed by.
enum APIDocument {
  private static let about =
    "Certificates of one's domains, as logs of Certificate Transparency show them. New fields may come at any time."

  static func make(_ operations: [APIOperation]) -> JSON {
    var paths: [String: [String: JSON]] = [:]
    var names: [String: [Field]] = APIProblem.schema.names
    for operation in operations {
      paths[operation.path, default: [:]][operation.verb.lowercased()] = json(operation)
      if case .json(let schema, _) = operation.answer { names.merge(schema.names) { first, _ in first } }
      names.merge(Schema.object(operation.body ?? []).names) { first, _ in first }
    }
    return [
      "openapi": "3.1.0",
      "info": [
        "title": "Oriel", "version": "1",
        "description": .text(about),
      ],
      "servers": [["url": .text(APIResponder.root)]], "paths": .object(paths.mapValues { .object($0) }),
      "components": [
        "schemas": .object(names.mapValues { Schema.json($0) }),
        "securitySchemes": [
          "token": ["type": "http", "scheme": "bearer", "description": "A token, as the settings make it."],
          "session": [
            "type": "apiKey", "in": "cookie", "name": "oriel",
            "description": .text(
              "A browser that is signed in, for reading alone. Over TLS the name is `__Host-oriel`; without a public "
                + "address the port is behind it: `oriel-8641`."),
          ],
        ],
        "responses": [
          "Problem": [
            "description": "Why not (RFC 9457).",
            "content": .object([APIProblem.mediaType: ["schema": APIProblem.schema.json]]),
          ]
        ],
      ],
    ]
  }

  private static func json(_ operation: APIOperation) -> JSON {
    var responses: [String: JSON] = ["default": ["$ref": "#/components/responses/Problem"]]
    switch operation.answer {
    case .json(let schema, let status):
      responses[String(status)] = [
        "description": .text(operation.summary), "content": ["application/json": ["schema": schema.json]],
      ]
    case .nothing(let status): responses[String(status)] = ["description": .text(operation.summary)]
    case .events:
      responses["200"] = [
        "description": .text(operation.summary), "content": ["text/event-stream": ["schema": ["type": "string"]]],
      ]
    case .document:
      responses["200"] = [
        "description": .text(operation.summary), "content": ["application/json": ["schema": ["type": "object"]]],
      ]
    }
    let path = operation.parameters.map { name -> JSON in
      [
        "name": .text(name), "in": "path", "required": true,
        "schema": (name == "issuance" ? Schema.hash : .id).json,
      ]
    }
    let query = operation.query.map { field -> JSON in
      [
        "name": .text(field.name), "in": "query", "required": .flag(field.isRequired),
        "description": .text(field.about), "schema": field.schema.json,
      ]
    }
    return [
      "operationId": .text(operation.id), "summary": .text(operation.summary),
      "parameters": path.isEmpty && query.isEmpty ? nil : .list(path + query),
      "requestBody": operation.body.map { fields in
        ["required": true, "content": ["application/json": ["schema": Schema.json(fields)]]]
      },
      "responses": .object(responses), "security": security(operation),
    ]
  }

  private static func security(_ operation: APIOperation) -> JSON {
    guard let permission = operation.permission else { return [] }
    let scope = permission == .manage ? Scope.admin.rawValue : permission.rawValue
    let token: JSON = ["token": [.text(scope)]]
    return operation.isReading ? [token, ["session": []]] : [token]
  }
}
