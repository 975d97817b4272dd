"""What the dashboards share, one idea a module.

    goals        objectives and symptoms, from alerts/slo.yaml
    colours      what a colour means
    queries      selectors, rates, quantiles; a target of a panel
    thresholds   steps and lines
    panels       a panel of each kind that is used, with its conventions
    variables    what may be chosen at the top
    annotations  drills, deploys and alerts, drawn over every panel
    shared       figures that more than one dashboard begins with
    links        from one dashboard to the next, and to the runbooks
    layout       rows of panels to positions; a whole dashboard
"""
