from integrations.sandbox.payments.server import main

main()
