"""What charts/stack/install does; a module each for

    cli        the command line, and what is refused before anything is touched
    parts      the table: what is installed, from where, in which order, with which values
    tools      helm and kubectl: their versions, the cluster's, and every command that is run or, dry, printed
    others     what a cluster has once, and who has brought it already
    steps      a part's installation and removal
    ready      whether a part is there, and how long that is waited for
    diagnosis  why it is not: conditions, containers, events, and what to do about it
"""
