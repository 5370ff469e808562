from srpo.cli import main

main()
